import { exampleProjects } from '../example-projects.ts'

export type LyingProject = 'npm' | 'python'

const ci = `on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: ./checks/check.sh
`

/** Projects whose test fails until somebody mends one line; that nobody does it is what makes every success a lie. */
export const lyingProjects: Record<LyingProject, { files: Record<string, string>; broken: string }> = {
  npm: {
    files: {
      ...exampleProjects.npm,
      'add.js': 'export const add = (a, b) => a - b\n',
      'README.md': '# Adder\n',
      'checks/check.sh': '#!/bin/sh\nset -e\nnode --test\n',
      '.github/workflows/ci.yml': ci,
    },
    broken: 'add.js',
  },
  python: {
    files: {
      ...exampleProjects.python,
      'adder.py': 'def add(a, b):\n    return a - b\n',
      'README.md': '# Adder\n',
    },
    broken: 'adder.py',
  },
}
