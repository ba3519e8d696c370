/** A file of a commit. Mode as git writes it: 100644, 100755, 120000 (symbolic link), 160000 (submodule). */
export type TreeEntry = { path: string; mode: string; blob: string }

/**
 * What a file is to the proof.
 * - `test`: an added one is welcome, an existing one is not the run's to change.
 * - `build`: holds the test command beside other things; an added one is welcome unless it hides one of the base.
 * - `runner`, `ci`: decide what a test means; an added one is left out, because it can turn every test off.
 * - `hijack`: is loaded by an interpreter or a runner unasked; left out even where the base has no tests.
 * - `manifest`: package.json, where only the keys that define the proof come from the base.
 */
export type ProofRole = 'test' | 'build' | 'runner' | 'ci' | 'hijack' | 'manifest'
export type ProofPart = { role: ProofRole; why: string }

/**
 * The first rule that fits wins, so the narrow ones come first. Names follow each ecosystem's own discovery rules;
 * where a convention is a folder, everything in it counts, since fixtures and snapshots decide a test as much as its
 * code does.
 */
const rules: readonly { role: ProofRole; why: string; path: RegExp }[] = [
  {
    role: 'ci',
    why: 'CI definition',
    path: /^\.(github\/(workflows|actions)|circleci|buildkite|woodpecker|gitlab)\//,
  },
  {
    role: 'ci',
    why: 'CI definition',
    path: /^(\.gitlab-ci\.ya?ml|Jenkinsfile[^/]*|azure-pipelines[^/]*\.ya?ml|\.travis\.ya?ml|\.drone\.ya?ml|\.drone\.jsonnet|\.cirrus\.(ya?ml|star)|\.woodpecker\.ya?ml|appveyor\.ya?ml|\.appveyor\.ya?ml|bitbucket-pipelines\.ya?ml|buildspec\.ya?ml|cloudbuild\.ya?ml|\.forgejo\/.*|\.gitea\/.*)$/,
  },
  {
    role: 'hijack',
    why: 'Python loads it before every program',
    path: /(^|\/)(sitecustomize|usercustomize)(\.pyc?|(\.[^/]*)?\.so|\/.*)$|\.pth$/,
  },
  {
    role: 'hijack',
    why: 'it takes the place of the test runner',
    path: /^(pytest|_pytest|pluggy|iniconfig|unittest|nose|nose2|tox)(\.pyc?|(\.[^/]*)?\.so|\/.*)$/,
  },
  {
    role: 'hijack',
    why: 'installed packages are not part of a result',
    path: /(^|\/)(node_modules|vendor\/bin)\//,
  },
  { role: 'hijack', why: 'cargo takes its runner and flags from it', path: /(^|\/)\.cargo\// },
  { role: 'hijack', why: 'it changes how Maven runs the tests', path: /(^|\/)\.mvn\// },
  { role: 'manifest', why: 'it names the test command', path: /(^|\/)package\.json$/ },
  { role: 'runner', why: 'pytest runs it before the tests', path: /(^|\/)conftest\.py$/ },
  {
    role: 'runner',
    why: 'test runner configuration',
    path: /(^|\/)(jest|vitest|vite|ava|playwright|cypress|karma|mocha|jasmine|wdio|protractor|nightwatch|babel|web-test-runner|testem|tap|nyc|c8)([.-](config|conf|workspace|setup|preset|global-?setup)[^/]*)?\.(js|cjs|mjs|ts|cts|mts|json|json5|ya?ml)$/,
  },
  {
    role: 'runner',
    why: 'test runner configuration',
    path: /(^|\/)(\.mocharc[^/]*|\.jestrc[^/]*|\.taprc|\.nycrc[^/]*|\.c8rc[^/]*|\.babelrc[^/]*|setupTests\.[^/]+|pytest\.ini|\.pytest\.ini|pytest\.toml|\.pytest\.toml|tox\.ini|tox\.toml|setup\.cfg|noxfile\.py|pyproject\.toml|\.coveragerc|\.nose\.cfg|\.noserc|phpunit\.[^/]*|Pest\.php|behat\.ya?ml|\.rspec(-local)?|CTest[^/]*\.cmake|deno\.jsonc?|bunfig\.toml|\.npmrc|\.yarnrc[^/]*|\.pnp\.[^/]+|\.pnpmfile\.[^/]+|nextest\.toml|rust-toolchain(\.toml)?|gradle\.properties|dart_test\.yaml|\.busted|\.luacov|\.proverc|\.simplecov|cucumber\.[^/]+)$/,
  },
  {
    role: 'build',
    why: 'it holds the test command',
    path: /(^|\/)(GNUmakefile|[Mm]akefile|[Jj]ustfile|\.justfile|Taskfile\.ya?ml|Rakefile|rakefile(\.rb)?|Cargo\.toml|go\.mod|go\.work|pom\.xml|(build|settings)\.gradle(\.kts)?|gradlew(\.bat)?|mvnw(\.cmd)?|gradle\/wrapper\/[^/]+|CMakeLists\.txt|CMakePresets\.json|meson\.build|composer\.json|mix\.exs|build\.xml|build\.sbt|project\.clj|Package\.swift|dune-project|build\.zig|[^/]+\.(csproj|fsproj|sln)|BUILD(\.bazel)?|WORKSPACE(\.bazel)?)$/,
  },
  {
    role: 'test',
    why: 'existing test',
    path: /(^|\/)([Tt]ests?|__tests__|__snapshots__|__mocks__|__fixtures__|specs?|testdata|test[-_]fixtures|e2e|integration[-_]tests?|cypress)\//,
  },
  {
    role: 'test',
    why: 'existing test',
    path: /(^|\/)(tests?([._-][^/]*)?|[^/]+[._-](test|tests|spec|specs)(\.[^/]*)?)\.(js|jsx|ts|tsx|mjs|cjs|mts|cts|vue|svelte|py|rb|go|rs|php|phpt|sh|bash|zsh|fish|pl|lua|exs?|cljc?|cljs|elm|dart|c|cc|cpp|cxx|h|hpp|hs|ml|zig|nim|jl|R|r|cr|d|swift|kt|scala|groovy|el|erl|sql|exp|tcl)$/,
  },
  {
    role: 'test',
    why: 'existing test',
    path: /(^|\/)(Test[A-Z][^/]*|[^/]+(Test|Tests|TestCase|Spec|IT))\.(java|kt|kts|groovy|scala|cs|fs|vb|swift|php|m|mm|dart|hs)$/,
  },
  { role: 'test', why: 'existing test', path: /(^|\/)[^/]+\.(bats|feature|snap|phpt)$|(^|\/)x?t\/.*\.t$/ },
]

/**
 * Patterns for `grep -E` that find at least every file which `refuseAdded` or `hiddenBy` would name, so that a wall need
 * not tell the name of each file it holds.
 */
export function suspectPatterns(): string[] {
  const roles = rules.filter(({ role }) => role === 'hijack' || role === 'runner' || role === 'ci')
  const sources = [...roles.map(({ path }) => path), new RegExp(`(^|/)(${rivalNames.join('|')})$`)]
  // A path comes as ./path, and with these anchors at its start grep would not see it.
  return sources.map(({ source }) => source.replaceAll('\\/', '/').replace(/^\^/, ''))
}

export function proofPart(path: string): ProofPart | null {
  return rules.find((rule) => rule.path.test(path)) ?? null
}

/** Files of one folder of which a tool reads only the first it finds, or reads one instead of the other. */
const rivals: readonly RegExp[] = [
  /^(GNUmakefile|makefile|Makefile)$/,
  /^\.?[Jj]ustfile$/,
  /^[Rr]akefile(\.rb)?$/,
  /^build\.gradle(\.kts)?$/,
  /^settings\.gradle(\.kts)?$/,
  /^(CMakeLists\.txt|CMakePresets\.json)$/,
  /^(go\.mod|go\.work)$/,
]

/** The file of the base that an added file would be read instead of. */
export function hiddenBy(added: string, inBase: (path: string) => boolean): string | undefined {
  const slash = added.lastIndexOf('/') + 1
  const [folder, name] = [added.slice(0, slash), added.slice(slash)]
  return rivals
    .filter((rival) => rival.test(name))
    .flatMap((rival) => rivalNames.filter((other) => other !== name && rival.test(other)))
    .map((other) => folder + other)
    .find(inBase)
}

const rivalNames = [
  'GNUmakefile',
  'makefile',
  'Makefile',
  'justfile',
  'Justfile',
  '.justfile',
  'Rakefile',
  'rakefile',
  'rakefile.rb',
  'Rakefile.rb',
  'build.gradle',
  'build.gradle.kts',
  'settings.gradle',
  'settings.gradle.kts',
  'CMakeLists.txt',
  'CMakePresets.json',
  'go.mod',
  'go.work',
]
