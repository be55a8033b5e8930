import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';
import type { FitReport, ModelFit } from '@/api/types';
import { renderScreen } from '@/mocks/render';
import { sampleModels } from '@/mocks/samples';
import { server } from '@/mocks/server';
import { ModelCards } from './model-list';

const assumed: ModelFit = {
  name: 'embedded/small',
  digest: 'sha',
  is_assumed: true,
  window: 4096,
  window_claimed: 4096,
  window_tested: 0,
  recall: 0,
  protocol: 'fenced',
  edit_format: 'whole',
  supports_prefill: true,
  obeys_fences: true,
  json_answers: 'none',
  tools_ok: false,
  thinking: 'none',
  tokens_per_second: 10,
  prompt_tokens_per_second: 100,
  token_ratio: 1,
  prompt_budget: 3072,
  tries: 4,
  strength: 0,
  is_local: true,
  probe_seconds: 0,
  probed_at: null,
  unmeasured: ['everything'],
  notes: [],
};

function serve(answer: string) {
  let fit = assumed;
  server.use(
    http.get('/api/models', () =>
      HttpResponse.json({ ...sampleModels, models: sampleModels.models.slice(0, 1) }),
    ),
    http.get('/api/models/fit', () => {
      const report: FitReport = { name: fit.name, fit, forecast_seconds: { build: 61 } };
      return HttpResponse.json(report);
    }),
    http.post('/api/models/fit', () => {
      fit = { ...fit, is_assumed: false, tokens_per_second: 27.4, window: 3900 };
      return new HttpResponse(answer, { headers: { 'content-type': 'text/event-stream' } });
    }),
  );
}

test('a model is measured and shown with what was found', async () => {
  serve(
    'event: progress\ndata: {"title": "JSON", "number": 1, "total": 9}\n\nevent: result\ndata: {}\n\n',
  );
  renderScreen(<ModelCards />);
  expect(await screen.findByText(/Not measured/)).toBeVisible();
  expect(screen.queryByText(/tokens\/s/)).toBeNull();
  await userEvent.setup().click(screen.getByRole('button', { name: 'Measure embedded/small' }));
  expect(await screen.findByText('27.4 tokens/s')).toBeVisible();
  expect(screen.getByText('3,900 tokens (4,096 claimed)')).toBeVisible();
});

test('a failed measurement says the way out', async () => {
  serve('event: error\ndata: {"error": "model_busy", "detail": "Try later."}\n\n');
  renderScreen(<ModelCards />);
  await userEvent
    .setup()
    .click(await screen.findByRole('button', { name: 'Measure embedded/small' }));
  await waitFor(() => expect(screen.getByText('Try later.')).toBeVisible());
  expect(screen.getByText('model_busy')).toBeVisible();
});

test('a model that cannot be measured is not passed over in silence', async () => {
  serve('event: result\ndata: {"fit": {"is_assumed": true}}\n\n');
  renderScreen(<ModelCards />);
  await userEvent
    .setup()
    .click(await screen.findByRole('button', { name: 'Measure embedded/small' }));
  expect(await screen.findByText('not_measurable')).toBeVisible();
});
