import { screen } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { expect, test, vi } from 'vitest';
import { renderScreen } from '@/mocks/render';
import { sampleModels } from '@/mocks/samples';
import { server } from '@/mocks/server';
import { ModelNotes, ModelPicker } from './model-picker';

function renderPicker() {
  renderScreen(
    <>
      <ModelPicker value={null} onChange={vi.fn<(model: string | null) => void>()} />
      <ModelNotes value={null} />
    </>,
  );
}

test('models that cannot be used are listed but cannot be chosen', async () => {
  renderPicker();
  expect(await screen.findByRole('option', { name: 'embedded/small · 398 MB' })).toBeEnabled();
  expect(screen.getByRole('option', { name: 'ollama/large (not available)' })).toBeDisabled();
  expect(screen.getByText(/Runs in the server/)).toBeVisible();
});

test('without any model the way out is shown', async () => {
  server.use(
    http.get('/api/models', () =>
      HttpResponse.json({
        ...sampleModels,
        models: [],
        default: null,
        problem: 'Run ./diono models pull.',
      }),
    ),
  );
  renderPicker();
  expect(await screen.findByText('Run ./diono models pull.')).toBeVisible();
  expect(screen.getByLabelText('Model')).toBeDisabled();
});
