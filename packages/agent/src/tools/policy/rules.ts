import type { Command } from './commands-in.ts'
import { protectedBy } from './protected-paths.ts'

export type Rule =
  | 'privilege_escalation'
  | 'protected_delete'
  | 'power_control'
  | 'disk_access'
  | 'network_fetcher'
  | 'ad_hoc_server'
  | 'debugger_port'
  | 'fork_bomb'
  | 'git_remote'
  | 'git_clean'

/** What is known beside the command. */
export type Setting = { network: boolean; folders: string[] }

/** What to do instead, for the model. */
export const advice: Readonly<Record<Rule, string>> = {
  privilege_escalation:
    'Commands run as an ordinary user; use what is installed, or install below the workspace.',
  protected_delete: 'Name the files or folders of the workspace that are to be removed.',
  power_control: 'The machine cannot be stopped from here; end your own programs by their process id.',
  disk_access: 'Work with files of the workspace; there are no disks here.',
  network_fetcher:
    'This run has no network. Use what is in the workspace; to try a server, write a test that calls it in the same process.',
  ad_hoc_server: 'Nobody can open a server from here. Test the files or the code directly.',
  debugger_port: 'No debugger can connect. Run the tests, or print what you need to see.',
  fork_bomb: 'Start a bounded number of processes.',
  git_remote: 'Commit, or leave the files as they are: the result is published after the checks have passed.',
  git_clean: 'Name the folder to clean, or remove the files one by one.',
}

const fetchers =
  /^(curl|wget2?|aria2c|axel|nc|ncat|netcat|socat|telnet|ssh|scp|sftp|autossh|sshpass|mosh|ssh-copy-id|s?ftp|lftp|tftp|lynx|e?links2?|w3m|https?|httpie|xhs?|curlie|rclone|nmap|masscan|ngrok|cloudflared|localtunnel|lt|croc|wormhole|torify)(\.exe)?$/
const escalators =
  /^(sudo|sudoedit|doas|su|pkexec|runuser|setpriv|chroot|nsenter|unshare|newgrp|sg|gosu|su-exec|capsh|setcap|visudo|passwd|chpasswd|useradd|adduser|usermod|userdel|groupadd|gpasswd|mount|umount|insmod|modprobe|rmmod|systemd-run|machinectl)$/
const formatters =
  /^(mkfs(\..+)?|mke2fs|mkswap|swapon|swapoff|s?fdisk|cfdisk|sgdisk|gdisk|parted|partprobe|wipefs|blkdiscard|hdparm|cryptsetup|lvremove|vgremove|pvremove|mdadm|losetup|badblocks)$/
const servers =
  /^(http-server|live-server|lite-server|local-web-server|ws|serve|servor|browser-sync|miniserve|darkhttpd|webfsd|thttpd|lighttpd|nginx|caddy|httpd|simple-http-server|static-server|reload)(@.+)?$/
const devices =
  /^\/dev\/(sd[a-z]|hd[a-z]|vd[a-z]|xvd[a-z]|nvme\d|mmcblk\d|loop\d|dm-\d|md\d|sr\d|ram\d|mapper\/|disk\/|mem$|kmem$|port$|nbd\d)/
/** They look at texts or print them; what stands in their arguments is not done. */
const lookers =
  /^(echo|printf|e?grep|fgrep|zgrep|rg|ag|ack|sed|g?awk|mawk|cat|head|tail|less|more|test|\[|ls|stat|file|wc|diff|jq|yq|basename|dirname|sort|uniq|cut|tr|true|false|:|which|type|man|git|touch|mkdir|export|set|declare|local|readonly|expr|let|return|exit|command|alias|trap|tee)$/

type Words = string[]

/** The first rule that a command breaks. */
export function ruleBrokenBy(command: Command, { network, folders }: Setting): Rule | undefined {
  const { name } = command
  const words = command.args.map(({ text }) => text)
  if (command.isForkingItself || isForkLoop(name, words)) return 'fork_bomb'
  if (escalators.test(name) || isSetuid(name, words)) return 'privilege_escalation'
  if (isPower(name, words) || command.redirects.some(({ path }) => path.startsWith('/proc/sysrq')))
    return 'power_control'
  if (formatters.test(name) || touchesDevice(command, words)) return 'disk_access'
  if (deletesProtected(command, words, folders)) return 'protected_delete'
  if (!network && fetches(command, words)) return 'network_fetcher'
  if (servers.test(name) || serves(name, words)) return 'ad_hoc_server'
  if (opensDebugger(command, words)) return 'debugger_port'
  return name === 'git' ? gitRule(words) : undefined
}

function isForkLoop(name: string, words: Words): boolean {
  if (!/^(perl|ruby|python[\d.]*|php|node)$/.test(name)) return false
  return words.some((word) =>
    /\bfork\b[\s(){}]*(while|until)\b|(while|until|loop)\b.{0,40}\bfork\b/s.test(word),
  )
}

function isSetuid(name: string, words: Words): boolean {
  return (
    name === 'chmod' &&
    words.some((word) => /^([ugoa]*\+[rwxXt]*s|[ugoa]*=[rwxXt]*s|0?[2467][0-7]{3})/.test(word))
  )
}

function isPower(name: string, words: Words): boolean {
  if (/^(shutdown|reboot|halt|poweroff|kexec|killall5|telinit|pm-suspend|pm-hibernate|rtcwake)$/.test(name))
    return true
  if (name === 'init') return words.some((word) => /^[0-6sS]$/.test(word))
  if (name === 'systemctl' || name === 'loginctl') {
    return words.some((word) =>
      /^(poweroff|reboot|halt|suspend|hibernate|hybrid-sleep|kexec|rescue|emergency|isolate|exit|soft-reboot)$/.test(
        word,
      ),
    )
  }
  // Everybody, or the first process.
  const targets = words.filter((word, at) => !(at === 0 && word.startsWith('-')) && word !== '--')
  const isOption = /^-(s|n|\d+|[A-Z]+)$/
  return (
    name === 'kill' &&
    targets.some(
      (word, at) => (word === '-1' || word === '1') && !(isOption.test(word) && at < targets.length - 1),
    )
  )
}

function touchesDevice({ name, redirects }: Command, words: Words): boolean {
  if (redirects.some(({ path }) => devices.test(path))) return true
  if (name === 'tee') return words.some((word) => devices.test(word))
  if (lookers.test(name) && name !== 'cat') return false
  if (name !== 'dd') return words.some((word) => devices.test(word))
  return words.some((word) => {
    const [, path] = /^(?:of|if)=(.*)$/s.exec(word) ?? []
    return (
      path !== undefined &&
      (devices.test(path) ||
        (word.startsWith('of=') && /^\/dev\/(?!null$|stdout$|stderr$|fd\/|zero$|full$|shm\/)/.test(path)))
    )
  })
}

function deletesProtected({ name, args }: Command, words: Words, folders: string[]): boolean {
  const isRecursive = words.some((word) => /^-[a-zA-Z]*[rR]|^--recursive$/.test(word))
  const targets = args.filter(({ text }) => !text.startsWith('-'))
  const isProtected = (text: string, kinds = /./): boolean => kinds.test(protectedBy(text, folders) ?? '')
  if (name === 'rm') {
    return (
      words.includes('--no-preserve-root') || (isRecursive && targets.some(({ text }) => isProtected(text)))
    )
  }
  if (/^(chmod|chown|chgrp|setfacl)$/.test(name)) {
    return isRecursive && targets.slice(1).some(({ text }) => isProtected(text, /system|home/))
  }
  if (name === 'find' || name === 'fd') return isDeletingFind(words, isProtected)
  if (name === 'shred' || name === 'srm' || name === 'rimraf' || name === 'trash')
    return targets.some(({ text }) => isProtected(text))
  if (name === 'mv') return targets.slice(0, -1).some(({ text }) => isProtected(text))
  return (
    name === 'rsync' && words.some((word) => word.startsWith('--delete')) && isProtected(words.at(-1) ?? '')
  )
}

function isDeletingFind(words: Words, isProtected: (text: string, kinds?: RegExp) => boolean): boolean {
  const at = words.findIndex((word) => /^[-(!]/.test(word))
  const starts = at <= 0 ? ['.'] : words.slice(0, at)
  const exec = words.findIndex((word) => /^-(exec|execdir|ok|okdir)$/.test(word))
  const deletes =
    words.includes('-delete') ||
    (exec !== -1 && words.slice(exec).some((word) => /(^|\/)(rm|shred|unlink)$|\brm\s/.test(word)))
  if (!deletes) return false
  const isChosen = words.some((word) =>
    /^-(i?name|i?path|i?regex|newer|mtime|mmin|size|empty|user|perm|i?wholename)$/.test(word),
  )
  const names = words.filter((_, n) => /^-i?name$|^-i?path$/.test(words[n - 1] ?? ''))
  if (names.some((name) => /(^|\/)\.git(\/|$|\*)/.test(name))) return true
  return starts.some((start) => isProtected(start, /system|home/) || (!isChosen && isProtected(start)))
}

function fetches({ name, redirects }: Command, words: Words): boolean {
  if (fetchers.test(name)) return true
  if (redirects.some(({ path }) => /^\/dev\/(tcp|udp)\//.test(path))) return true
  if (name === 'rsync') return words.some((word) => /^rsync:\/\/|^[\w.@-]+::?|^-e$|^--rsh/.test(word))
  if (name === 'openssl') return words[0] === 's_client' || words[0] === 's_server'
  return false
}

function serves(name: string, words: Words): boolean {
  const text = words.join(' ')
  if (/^python[\d.]*$|^pypy\d*$|^py$/.test(name)) {
    return (
      /(^|\s)-m\s*(http\.server|SimpleHTTPServer|CGIHTTPServer|pyftpdlib|twisted|ptvsd)\b/.test(text) ||
      (words.includes('-c') && /\b(http\.server|socketserver|SimpleHTTPServer)\b/.test(text))
    )
  }
  if (name === 'php') return words.some((word) => word.startsWith('-S'))
  if (name === 'ruby') return words.includes('-run') && words.includes('httpd')
  if (name === 'twist' || name === 'twistd') return words.includes('web')
  if (name === 'deno') return /\bfile_server\b/.test(text) || words[0] === 'serve'
  if (name === 'perl') return /HTTP::(Server|Daemon)/.test(text)
  return name === 'erl' && /inets/.test(text)
}

const debuggerFlag =
  /^--?(inspect(-brk|-wait|-port|-publish-uid)?(=.*)?|debug-port.*|debug-brk.*|remote-debugging-(port|pipe|address).*)$/
const debuggerText =
  /(^|\s)--(inspect|debug)(-brk|-wait|-port)?(=|\s|$)|-agentlib:jdwp|-Xrunjdwp|--remote-debugging-port/

function opensDebugger({ name, assignments }: Command, words: Words): boolean {
  if (assignments.some(({ name, value }) => /OPTIONS$|OPTS$/.test(name) && debuggerText.test(value)))
    return true
  if (name === 'gdbserver' || name === 'lldb-server' || name === 'debugpy') return true
  if (name === 'dlv') return words.some((word) => /^--(listen|headless)/.test(word)) || words.includes('dap')
  if (/^python[\d.]*$/.test(name) && /(^|\s)-m\s*(debugpy|pydevd|ptvsd|remote_pdb)\b/.test(words.join(' ')))
    return true
  if ((name === 'node' || name === 'deno') && (words[0] === 'inspect' || words[0] === 'debug')) return true
  if (lookers.test(name) && name !== 'export') return false
  return words.some(
    (word) =>
      debuggerFlag.test(word) ||
      /^-agentlib:jdwp|^-Xrunjdwp/.test(word) ||
      (/^\w*(OPTIONS|OPTS)=/.test(word) && debuggerText.test(word.replace('=', ' '))),
  )
}

function gitRule(words: Words): Rule | undefined {
  let at = 0
  for (; at < words.length && (words[at] as string).startsWith('-'); at += 1) {
    if (
      /^(-C|-c|--git-dir|--work-tree|--namespace|--exec-path|--super-prefix|--config-env)$/.test(
        words[at] as string,
      )
    )
      at += 1
  }
  const [verb, ...rest] = words.slice(at)
  if (
    verb === 'push' ||
    verb === 'send-pack' ||
    verb === 'http-push' ||
    verb === 'send-email' ||
    verb === 'daemon' ||
    verb === 'instaweb'
  )
    return 'git_remote'
  if (
    verb === 'remote' &&
    /^(set-url|add|rename|rm|remove|set-head|update|prune)$/.test(
      rest.find((word) => !word.startsWith('-')) ?? '',
    )
  )
    return 'git_remote'
  if (
    verb === 'config' &&
    rest.some((word) => /^(remote|url)\..*\.(url|pushurl|insteadof|pushinsteadof)$/i.test(word)) &&
    rest.filter((word) => !word.startsWith('-')).length > 1
  )
    return 'git_remote'
  if (verb !== 'clean') return undefined
  const flags = rest.filter((word) => /^-[a-zA-Z]+$/.test(word)).join('')
  const isForced = /f/.test(flags) || rest.includes('--force')
  const paths = rest.filter((word, n) => !word.startsWith('-') && !/^-e$|^--exclude$/.test(rest[n - 1] ?? ''))
  const isEverything = paths.every((path) => /^(\.|\.\/|\*|:\/)$/.test(path))
  return isForced && /[xX]/.test(flags) && !/n/.test(flags) && isEverything ? 'git_clean' : undefined
}
