/** What is written into a test file so that one of its tests fails, and what its failure is known by. */
export type ControlText = {
  /** One line where the language allows it, to be appended, or to stand alone in the file's place. */
  text: string
  /** Only computed when the test runs and is reported, so that nothing which prints the file's text looks like it. */
  sign: string
}

/** Both up to 2^26, so that their product is exact in every language. */
export type Factors = readonly [number, number]

const script = /\.(js|jsx|ts|tsx|mjs|cjs|mts|cts)$/
const pythonTest = /(^|\/)(test_[^/]*|[^/]*_test|tests?)\.py$/
const namedTest = /(^|\/)(test([._-][^/]*)?|[^/]+[._-](test|spec))\.[^/.]+$/

/**
 * What lets a file itself decide that a test at its end does not run: it ends the process, runs only some of its tests, or
 * leaves all of them out on this machine. Such a file says nothing.
 */
const decidesItself = {
  javascript: /\bprocess\.(exit|reallyExit|abort)\b|\.only\s*\(|\bonly:\s*true|\b(fit|fdescribe)\s*\(/,
  python:
    /^(sys\.exit|os\._exit|exit|quit|raise|unittest\.main)\b|\bdef load_tests\b|\bpytestmark\b|\bimportorskip\b|\bSkipTest\b|allow_module_level/m,
}

/** Null for a file whose library is not known, or that holds no tests. */
export function controlText(path: string, text: string, factors: Factors): ControlText | null {
  const written = pythonTest.test(path)
    ? python(text, factors)
    : script.test(path)
      ? javascript(path, text, factors)
      : null
  return written === null ? null : { text: written, sign: String(factors[0] * factors[1]) }
}

/**
 * With type checks on, the line under the comment is left alone by them. Whoever made an assertion toothless is named by
 * it; `refuse` has to throw.
 */
function javascript(path: string, text: string, [a, b]: Factors): string | null {
  const opening = decidesItself.javascript.test(text) ? null : openingOf(path, text)
  if (opening === null) return null
  const refuses = `const musterRefuses = (name, refuse) => { try { refuse() } catch { return } throw new Error('muster-toothless-' + name) };`
  const fails = `throw new Error('muster-control-' + ${a} * ${b})`
  const body = `${refuses} ${nodeTeeth} ${expectTeeth(opening.expect)} ${fails}`
  const test = opening.test === null ? `{ ${body} }` : `${opening.test}('muster control', () => { ${body} })`
  return `\n${unchecked}\n;${opening.imports} ${test}\n`
}

// In two parts, since no file of ours may hold it.
const unchecked = `// @ts-${'ignore'}`

type Opening = { imports: string; test: string | null; expect: string }

function openingOf(path: string, text: string): Opening | null {
  const isImported = (name: string) => new RegExp(`\\b(from|import)\\s*['"]${name}['"]`).test(text)
  const isRequired = (name: string) => new RegExp(`\\brequire\\(\\s*['"]${name}['"]\\s*\\)`).test(text)
  const anyExpect = 'globalThis.expect'
  if (isImported('node:test'))
    return {
      imports: "import { test as musterTest } from 'node:test';",
      test: 'musterTest',
      expect: anyExpect,
    }
  if (isRequired('node:test')) return { imports: '', test: "require('node:test').test", expect: anyExpect }
  for (const library of ['vitest', '@jest/globals']) {
    const imports = `import { test as musterTest, expect as musterExpect } from '${library}';`
    if (isImported(library)) return { imports, test: 'musterTest', expect: 'musterExpect' }
    const required = `require('${library}')`
    if (isRequired(library)) return { imports: '', test: `${required}.test`, expect: `${required}.expect` }
  }
  // Jest, Mocha and Jasmine, and Vitest on request, give their words to every file.
  if (/\b(it|test|describe|suite)(\.\w+)*\s*\(/.test(text))
    return { imports: '', test: '(globalThis.it ?? globalThis.test)', expect: anyExpect }
  return namedTest.test(path) && /\bassert\b/.test(text)
    ? { imports: '', test: null, expect: anyExpect }
    : null
}

const nodeAssertions = [
  ['', '(false)'],
  ['ok', '.ok(false)'],
  ['equal', '.equal(1, 2)'],
  ['strictEqual', '.strictEqual(1, 2)'],
  ['deepEqual', '.deepEqual([1], [2])'],
  ['deepStrictEqual', '.deepStrictEqual({ a: 1 }, { a: 2 })'],
  ['notStrictEqual', '.notStrictEqual(1, 1)'],
  ['match', ".match('a', /b/)"],
  ['throws', '.throws(() => {})'],
] as const

/** `assert` and `assert.strict` have functions of their own, so both are asked. */
const nodeTeeth = `const musterAssert = globalThis.process?.getBuiltinModule?.('node:assert'); if (musterAssert) for (const assert of [musterAssert, musterAssert.strict]) { ${nodeAssertions
  .map(([name, call]) => `musterRefuses('assert.${name}', () => assert${call});`)
  .join(' ')} }`

const expectations = [
  ['toBe', '.toBe(2)'],
  ['toEqual', '.toEqual(2)'],
  ['toBeNull', '.toBeNull()'],
  ['toBeGreaterThan', '.toBeGreaterThan(2)'],
] as const

/** Chai's `expect` has `to` and none of these. Jasmine's throws nothing: it writes down what failed. */
function expectTeeth(expect: string): string {
  const each = expectations.map(([name, call]) => `musterRefuses('expect.${name}', () => expect(1)${call});`)
  return `{ const expect = ${expect}; if (globalThis.jasmine) {} else if (expect?.(1)?.toBe) { ${each.join(' ')} } else if (expect?.(1)?.to) musterRefuses('expect.equal', () => expect(1).to.equal(2)) }`
}

const unittestAssertions = [
  'assertEqual(1, 2)',
  'assertNotEqual(1, 1)',
  'assertTrue(False)',
  'assertFalse(True)',
  'assertIs(1, "a")',
  'assertIsNone(1)',
  'assertIn(1, [])',
  'assertGreater(1, 2)',
  'assertAlmostEqual(1, 2)',
  'assertListEqual([1], [2])',
  'assertDictEqual({1: 1}, {1: 2})',
  'assertRaises(ValueError, lambda: None)',
  'fail()',
]

/** A `TestCase` is run by unittest and by pytest alike. */
function python(text: string, [a, b]: Factors): string | null {
  if (!/\bunittest\b|\bdef test|\bclass Test/.test(text) || decidesItself.python.test(text)) return null
  const refusals = unittestAssertions.map(
    (call) => `            ("${call.replace(/\(.*/, '')}", lambda: self.${call}),`,
  )
  return [
    '',
    '',
    'import unittest as _muster_unittest',
    '',
    '',
    'class MusterControl(_muster_unittest.TestCase):',
    '    def test_muster_control(self):',
    '        for name, refuse in (',
    ...refusals,
    '        ):',
    '            try:',
    '                refuse()',
    '            except AssertionError:',
    '                continue',
    '            raise RuntimeError("muster-toothless-" + name)',
    `        raise RuntimeError("muster-control-" + str(${a} * ${b}))`,
    '',
  ].join('\n')
}
