const CLAIM_KEY = 'diono.session.claim';
const CLAIM_MILLISECONDS = 10_000;
const SETTLE_MILLISECONDS = 50;

const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MILLISECONDS));

/** Whether this tab holds the claim. Of two that write at once the last one is left. */
async function claims(own: string): Promise<boolean> {
  const [owner, until] = (localStorage.getItem(CLAIM_KEY) ?? '').split(' ');
  if (owner && owner !== own && Number(until) > Date.now()) return false;
  localStorage.setItem(CLAIM_KEY, `${own} ${Date.now() + CLAIM_MILLISECONDS}`);
  await settle();
  return (localStorage.getItem(CLAIM_KEY) ?? '').startsWith(`${own} `);
}

async function withClaim(work: () => Promise<void>): Promise<void> {
  const own = Math.random().toString(36).slice(2);
  while (!(await claims(own))) await settle();
  try {
    await work();
  } finally {
    localStorage.removeItem(CLAIM_KEY);
  }
}

/** Does `work` while no other tab does. Pages over plain http have no locks of the browser's. */
export async function inOneTab(name: string, work: () => Promise<void>): Promise<void> {
  if (!('locks' in navigator)) return withClaim(work);
  await navigator.locks.request(name, work);
}
