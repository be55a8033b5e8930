/** Arrows only downwards: app > features > components > ui; a feature never enters another. */
module.exports = {
  forbidden: [
    {
      name: 'no-rings',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'features-stay-apart',
      comment: 'Only app/ joins features.',
      severity: 'error',
      from: { path: '^src/features/([^/]+)/' },
      to: { path: '^src/features/', pathNot: '^src/features/$1/' },
    },
    {
      name: 'features-do-not-know-the-app',
      severity: 'error',
      from: { path: '^src/(features|components|api|lib)/' },
      to: { path: '^src/app/' },
    },
    {
      name: 'components-do-not-know-features-or-the-server',
      severity: 'error',
      from: { path: '^src/components/' },
      to: { path: '^src/(features|api)/|node_modules/(@tanstack|openapi-fetch)' },
    },
    {
      name: 'ui-is-the-floor',
      comment: 'Design primitives know no composites, no router and no server.',
      severity: 'error',
      from: { path: '^src/components/ui/' },
      to: { path: '^src/components/(?!ui/)|node_modules/react-router' },
    },
    {
      name: 'api-and-lib-know-no-screens',
      severity: 'error',
      from: { path: '^src/(api|lib)/' },
      to: { path: '^src/(features|components)/' },
    },
    {
      name: 'lib-knows-no-server',
      severity: 'error',
      from: { path: '^src/lib/' },
      to: { path: '^src/api/' },
    },
    {
      name: 'mocks-are-for-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/mocks/|\\.test\\.tsx?$' },
      to: { path: '^src/mocks/|node_modules/msw' },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types'] },
  },
};
