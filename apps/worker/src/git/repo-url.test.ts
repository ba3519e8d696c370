import { expect, test } from 'vitest'
import { parseRepoUrl } from './repo-url.ts'

test.each([
  ['/srv/repo', { kind: 'local', path: '/srv/repo' }],
  ['file:///srv/my%20repo', { kind: 'local', path: '/srv/my repo' }],
  ['https://host/x.git', { kind: 'remote', url: 'https://host/x.git' }],
  ['ssh://git@host:22/x.git', { kind: 'remote', url: 'ssh://git@host:22/x.git' }],
  ['git@host:team/x.git', { kind: 'remote', url: 'git@host:team/x.git' }],
])('%s is accepted', (url, address) => {
  expect(parseRepoUrl(url)).toEqual(address)
})

test.each([
  'ext::sh -c "touch /tmp/x"',
  'fd::17',
  '--upload-pack=touch /tmp/x',
  '-oProxyCommand=x',
  'ssh://-oProxyCommand=x/y',
  'ssh://-oProxyCommand@host/y',
  '-git@host:x',
  'git@host:-x',
  'git@host::x',
  'http://host/x.git',
  'git://host/x.git',
  'ftp://host/x.git',
  'file://host/x',
  'relative/path',
  '../up',
  '',
  'https://host/x\n--upload-pack=y',
  'transport::address',
])('%j is refused', (url) => {
  expect(() => parseRepoUrl(url)).toThrow(expect.objectContaining({ code: 'repo_url_refused' }))
})
