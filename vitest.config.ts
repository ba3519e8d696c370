import { defineConfig } from 'vitest/config'

const exclude = ['**/node_modules/**', '**/dist/**']

/**
 * Projects are told apart by what they need, so that a quick check can run the first two alone:
 * unit (nothing), architecture (the sources), room (PostgreSQL), wall (bubblewrap), scenario and browser (everything).
 */
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          // Generous: a test fails on what it sees and never because the machine is busy.
          testTimeout: 60_000,
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/*/src/**/*.test.ts',
            'test/chaos/**/*.test.ts',
            'test/bench/**/*.test.ts',
          ],
          exclude: [...exclude, '**/*.room.test.ts', '**/*.wall.test.ts'],
        },
      },
      {
        test: {
          name: 'architecture',
          include: ['test/architecture/**/*.test.ts'],
          exclude,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'room',
          globalSetup: ['packages/testkit/src/vitest-global-setup.ts'],
          include: ['packages/*/src/**/*.room.test.ts', 'apps/*/src/**/*.room.test.ts'],
          exclude,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'model',
          globalSetup: ['packages/testkit/src/vitest-global-setup.ts'],
          include: ['test/model/**/*.model.test.ts'],
          exclude,
          testTimeout: 170_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'wall',
          include: ['packages/*/src/**/*.wall.test.ts', 'apps/*/src/**/*.wall.test.ts'],
          exclude,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'scenario',
          include: ['test/scenarios/**/*.test.ts'],
          exclude,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          exclude,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
