"""Small real projects, one a kind of program that the runners know."""

from dataclasses import dataclass, field

FLASK = """
from flask import Flask
app = Flask(__name__)

@app.get("/")
def read():
    return "hello from flask"
"""
DJANGO_SETTINGS = """
SECRET_KEY = "for-tests-only"
DEBUG = True
ROOT_URLCONF = "urls"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "data.sqlite3"}}
"""
DJANGO_URLS = """
from django.http import HttpResponse
from django.contrib.auth.models import User
from django.urls import path

urlpatterns = [path("", lambda _: HttpResponse(f"hello from django {User.objects.count()}"))]
"""
DJANGO_MANAGE = """
import os
import sys
from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
execute_from_command_line(sys.argv)
"""
NODE = """
const http = require('node:http');
http.createServer((_, reply) => reply.end('hello from node')).listen(process.env.PORT || 3000);
"""
GO = """
package main

import (
	"fmt"
	"net/http"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello from go") })
	http.ListenAndServe(":8080", nil)
}
"""  # noqa: E501
VITE_PACKAGE = """{
  "name": "page", "private": true, "type": "module",
  "scripts": {"dev": "vite", "build": "vite build"},
  "dependencies": {"react": "^19", "react-dom": "^19"},
  "devDependencies": {"@vitejs/plugin-react": "^5", "vite": "^7"}
}"""
VITE_PAGE = """<!doctype html><title>page</title><div id="root"></div>
<script type="module" src="/src/main.jsx"></script>"""
VITE_MAIN = """import { createRoot } from 'react-dom/client';
import { App } from './App.jsx';
createRoot(document.getElementById('root')).render(<App />);
"""
VITE_APP = "export function App() { return <h1>hello from vite</h1>; }\n"
VITE_CONFIG = """import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
export default defineConfig({ plugins: [react()] });
"""
NEXT_PACKAGE = """{
  "name": "site", "private": true,
  "scripts": {"dev": "next dev", "build": "next build", "start": "next start"},
  "dependencies": {"next": "^16", "react": "^19", "react-dom": "^19"}
}"""
NEXT_LAYOUT = """export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
"""
NEXT_PAGE = "export default function Page() { return <h1>hello from next</h1>; }\n"


@dataclass(frozen=True)
class Sample:
    """``shown`` is in the page at ``/``."""

    kind: str
    shown: str
    files: dict[str, str] = field(default_factory=dict[str, str])


FLASK_APP = Sample("flask", "hello from flask", {"app.py": FLASK})
STATIC_SITE = Sample("static", "hello from a file", {"index.html": "<p>hello from a file</p>"})
NODE_SERVER = Sample("node", "hello from node", {"server.js": NODE})
GO_SERVER = Sample("go", "hello from go", {"go.mod": "module x\n\ngo 1.19\n", "main.go": GO})
DJANGO_SITE = Sample(
    "django",
    "hello from django 0",
    {
        "manage.py": DJANGO_MANAGE,
        "settings.py": DJANGO_SETTINGS,
        "urls.py": DJANGO_URLS,
        "requirements.txt": "django\n",
    },
)
VITE_REACT = Sample(
    "vite",
    "/src/main.jsx",
    {
        "package.json": VITE_PACKAGE,
        "index.html": VITE_PAGE,
        "vite.config.js": VITE_CONFIG,
        "src/main.jsx": VITE_MAIN,
        "src/App.jsx": VITE_APP,
    },
)
NEXT_SITE = Sample(
    "next",
    "hello from next",
    {
        "package.json": NEXT_PACKAGE,
        "app/layout.jsx": NEXT_LAYOUT,
        "app/page.jsx": NEXT_PAGE,
    },
)
