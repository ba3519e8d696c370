import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultLimits, type ExecOptions, type Sandbox } from '../sandbox.ts'
import { createNamespaceDriver } from './driver.ts'
import { denied, inspected, missing, type Arch } from './syscalls.ts'

/**
 * Each attempt is what an agent could try from inside. Where the machine would let the same attempt succeed without a
 * wall, a control shows that it does: a probe that can never succeed proves nothing. Written for perl and sh, which
 * every Debian has; perl's syscall() reaches calls that no program offers.
 */
const arch = process.arch as Arch
const EPERM = 1
const ENOSYS = 38
const isRoot = process.getuid?.() === 0

function numberOf(name: string): number {
  const row = [...denied, ...missing].find(([known]) => known === name)
  const number =
    row === undefined ? inspected[name as keyof typeof inspected][arch] : row[arch === 'x64' ? 1 : 2]
  if (number === null) throw new Error(`no ${name} on ${arch}`)
  return number
}

/** Prints the result and the errno of one system call. */
const callScript = (name: string, args: string): string =>
  // An array, because perl passes the address of a string only if it could be written to.
  `@a = (${args}); $r = syscall(${numberOf(name)}, @a); print $r, " ", $r < 0 ? $!+0 : 0`

const connectScript = (port: number, host = '127.0.0.1'): string =>
  `use IO::Socket::INET; print IO::Socket::INET->new(PeerAddr => "${host}", PeerPort => ${port}, Timeout => 3) ? "in" : "out: $!"`

const onHost = (script: string): string => spawnSync('perl', ['-e', script], { encoding: 'utf8' }).stdout

describe('from inside a wall', () => {
  let root = ''
  let wall: Sandbox
  let other: Sandbox
  const options: ExecOptions = { timeoutMs: 30_000, maxOutputBytes: 65_536 }
  const sh = async (script: string, more: Partial<ExecOptions> = {}) =>
    wall.exec(['sh', '-c', script], { ...options, ...more })
  const perl = async (script: string) => (await wall.exec(['perl', '-e', script], options)).stdout

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'wall-escape-'))
    await chmod(root, 0o755)
    const driver = createNamespaceDriver({ stateDir: join(root, 'state'), graceMs: 500 })
    const make = async (id: string) => {
      await mkdir(join(root, id))
      await writeFile(join(root, id, 'private'), `belongs to ${id}`)
      const limits = {
        ...defaultLimits,
        memoryBytes: 256 * 2 ** 20,
        processes: 64,
        openFiles: 256,
        tmpBytes: 2 ** 24,
      }
      const workspace = join(root, id)
      return driver.create({ id, workspace, limits, network: { kind: 'none' }, env: { OWN: 'yes' } })
    }
    wall = await make('mine')
    other = await make('others')
    expect(await perl('print "perl works"')).toBe('perl works')
  })
  afterAll(async () => {
    await wall.destroy()
    await other.destroy()
    await rm(root, { recursive: true })
  })

  describe('files of the host', () => {
    it('/etc/shadow, the home of the user and the mounts of the host are not there', async () => {
      expect(existsSync('/etc/shadow')).toBe(true)
      const { stdout } = await sh(
        'for f in /etc/shadow /root /home/* /mnt /srv /sys /boot /var/lib /run/*; do [ -e $f ] && echo $f; done',
      )
      expect(stdout).toBe('/home/agent\n')
    })

    it('passwd is ours and names nobody of the host', async () => {
      expect((await sh('cut -d: -f1 /etc/passwd | xargs')).stdout).toBe('root agent nobody\n')
    })

    it("another wall's directory cannot be read by any path", async () => {
      const secret = join(root, 'others', 'private')
      expect(await readFile(secret, 'utf8')).toBe('belongs to others')
      const ways = [
        secret,
        `/proc/1/root${secret}`,
        `/proc/self/root${secret}`,
        `../../..${secret}`,
        '../others/private',
      ]
      const { stdout } = await sh(
        `cat ${ways.join(' ')}; ln -s ${secret} link; cat link; find / -name private -type f 2>/dev/null`,
      )
      expect(stdout).toBe('/workspace/private\n')
    })

    it('nothing outside the workspace, /tmp, HOME and /dev/shm can be written', async () => {
      const places = '/ /usr /usr/bin /etc /bin /lib /dev /run /var /home /proc /proc/sys/kernel'
      const { stdout } = await sh(
        `for d in ${places}; do touch $d/new 2>/dev/null && echo $d; done; echo x > /etc/passwd && echo passwd`,
      )
      expect(stdout).toBe('')
      expect((await sh('touch /workspace/a /tmp/a ~/a /dev/shm/a && echo fine')).stdout).toBe('fine\n')
    })

    it('read-only mounts cannot be made writable again', async () => {
      expect((await sh('mount -o remount,rw /usr')).code).not.toBe(0)
      expect(await perl(callScript('mount', '0, "/usr", 0, 4128, 0'))).toBe(`-1 ${EPERM}`)
    })

    it('the pattern for core dumps and the other doors of /proc/sys are closed to writing', async () => {
      // Asked, never written: on the host a write would give root to whoever crashes next.
      if (isRoot) expect(() => accessSync('/proc/sys/kernel/core_pattern', constants.W_OK)).not.toThrow()
      const files =
        '/proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sysrq-trigger /proc/sys/vm/drop_caches'
      expect((await sh(`for f in ${files}; do [ -w $f ] && echo $f; done`)).stdout).toBe('')
    })

    it('disks, kernel memory and the kernel log cannot be opened or made', async () => {
      const { stdout } = await sh('ls /dev; head -c1 /proc/kcore; dmesg; mknod /tmp/disk b 8 0 && echo made')
      expect(stdout).not.toMatch(/sd|vd|kmsg|mem|kvm|fuse|made|Linux/)
    })

    it('a setuid bit gives nothing', async () => {
      const { stdout } = await sh(
        'cp /usr/bin/id . && chmod u+s id && ./id -u; su -c id 2>/dev/null; grep NoNewPrivs /proc/self/status',
      )
      expect(stdout.replaceAll('\t', ' ')).toBe('1000\nNoNewPrivs: 1\n')
    })
  })

  describe('processes of the host', () => {
    it('pid 1 shows neither our environment nor the host paths', async () => {
      process.env.WALL_ESCAPE_SECRET = 'leaked'
      const own = spawnSync('sh', ['-c', 'tr "\\0" "\\n" < /proc/self/environ'], { encoding: 'utf8' }).stdout
      expect(own).toContain('leaked')
      const { stdout } = await sh('cat /proc/*/environ /proc/*/cmdline /proc/1/mountinfo | tr "\\0" "\\n"')
      delete process.env.WALL_ESCAPE_SECRET
      expect(stdout).not.toContain('leaked')
      expect(stdout.split('\n').filter((line) => /^(PATH|HOME)=/.test(line) && line.includes('nvm'))).toEqual(
        [],
      )
    })

    it('a variable of the command cannot be read from the command lines of the host', async () => {
      const running = sh('sleep 1', { env: { TOKEN: 'only-inside' } })
      await new Promise((resolve) => setTimeout(resolve, 400))
      const lines = execFileSync('sh', ['-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null || true'], {
        encoding: 'latin1',
      })
      await running
      expect(lines).toContain('MUSTER_WALL')
      expect(lines).not.toContain('only-inside')
    })

    it('only its own processes are visible, and ours cannot be signalled', async () => {
      const { stdout } = await sh(
        `ls -d /proc/[0-9]* | wc -l; kill -0 ${process.pid} 2>&1; kill -0 ${process.ppid} 2>&1`,
      )
      expect(Number.parseInt(stdout, 10)).toBeLessThan(8)
      expect(stdout.match(/No such process/g)?.length).toBe(2)
    })

    it('no descriptor of ours is inherited', async () => {
      const { stdout } = await wall.exec(
        [
          'perl',
          '-e',
          'opendir D, "/proc/self/fd"; print join "\\n", map { readlink "/proc/self/fd/$_" } sort readdir D',
        ],
        options,
      )
      expect(
        stdout
          .split('\n')
          .filter(
            (to) => to !== '' && !/^(\/dev\/null|pipe:.*|\/proc\/\d+\/fd|.*\.std(in|out|err).*)$/.test(to),
          ),
      ).toEqual([])
    })

    it('ptrace, reading the memory and taking the descriptors of another process are refused', async () => {
      expect(onHost(callScript('ptrace', '0, 0, 0, 0'))).toBe('0 0')
      expect(await perl(callScript('ptrace', '0, 0, 0, 0'))).toBe(`-1 ${EPERM}`)
      expect(await perl(callScript('process_vm_readv', '1, 0, 0, 0, 0, 0'))).toBe(`-1 ${EPERM}`)
      expect(await perl(callScript('pidfd_getfd', '3, 0, 0'))).toBe(`-1 ${EPERM}`)
    })

    it('pid 1 inside, which the command may meddle with, has no more than the command itself', async () => {
      const { stdout } = await sh(
        'grep -E "^(CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp):" /proc/1/status | cut -f2 | xargs',
      )
      expect(stdout).toBe('0000000000000000 0000000000000000 0000000000000000 1 2\n')
    })

    it('a daemon is gone when its command ends, and its name is on no process of the host', async () => {
      const { ended } = await sh(
        '(trap "" HUP TERM INT; setsid nohup sleep 86399 >/dev/null 2>&1 &) ; sleep 0.3',
      )
      expect(ended).toBe('exited')
      expect(execFileSync('ps', ['-eo', 'args', '--no-headers'], { encoding: 'utf8' })).not.toContain(
        'sleep 86399',
      )
    })
  })

  describe('the kernel', () => {
    // What the machine answers to root or to anyone without a wall is the control: anything but these two.
    const calls: [name: string, args: string, errno: number, control?: RegExp | undefined][] = [
      ['mount', '"x", "/tmp", "tmpfs", 0, 0', EPERM],
      ['umount2', '"/usr", 2', EPERM],
      ['pivot_root', '"/tmp", "/tmp"', EPERM],
      ['chroot', '"/tmp"', EPERM],
      ['fsopen', '"tmpfs", 0', EPERM],
      ['open_tree', '-100, "/", 1', EPERM],
      ['move_mount', '0, 0, 0, 0, 0', EPERM],
      ['setns', '0, 0', EPERM, /^-1 (22|9)$/],
      ['bpf', '0, 0, 0', EPERM, isRoot ? /^-1 (7|14|22)$/ : undefined],
      ['keyctl', '0, -3, 0, 0, 0', EPERM, /^\d+ 0$/],
      ['add_key', '"user", "a", "b", 1, -2', EPERM, /^\d+ 0$/],
      ['request_key', '"user", "a", 0, 0', EPERM, /^-1 126$|^\d+ 0$/],
      ['perf_event_open', '0, 0, 0, 0, 0', EPERM, isRoot ? /^-1 14$/ : undefined],
      ['userfaultfd', '4096', EPERM, isRoot ? /^-1 22$/ : undefined],
      ['kcmp', '1, 1, 0, 0, 0', EPERM],
      ['init_module', '0, 0, 0', EPERM],
      ['finit_module', '0, 0, 0', EPERM],
      ['kexec_load', '0, 0, 0, 0', EPERM],
      ['reboot', '0, 0, 0, 0', EPERM],
      ['settimeofday', '0, 0', EPERM, isRoot ? /^0 0$/ : undefined],
      ['swapon', '"/x", 0', EPERM],
      ['open_by_handle_at', '-100, 0, 0', EPERM, isRoot ? /^-1 14$/ : undefined],
      ['sethostname', '"x", 1', EPERM],
      ['syslog', '10, 0, 0', EPERM, isRoot ? /^\d+ 0$/ : undefined],
      ['io_uring_setup', '1, 0', ENOSYS, isRoot ? /^-1 14$/ : undefined],
      ['clone3', '0, 0', ENOSYS, /^-1 22$/],
      ['unshare', '0x10000000', EPERM, isRoot ? /^0 0$/ : undefined],
      ['unshare', '0x00020000', EPERM, isRoot ? /^0 0$/ : undefined],
      ['clone', '0x10000011, 0, 0, 0, 0', EPERM],
    ]
    for (const [name, args, errno, control] of calls) {
      it(`${name}(${args}) is refused${control === undefined ? '' : ', and is not without the wall'}`, async () => {
        expect(await perl(callScript(name, args))).toBe(`-1 ${errno}`)
        if (control !== undefined) expect(onHost(callScript(name, args))).toMatch(control)
      })
    }

    it.runIf(arch === 'x64')('the numbers of the x32 ABI are no way around the filter', async () => {
      expect(
        await perl(`$r = syscall(0x40000000 + ${numberOf('ptrace')}, 0, 0, 0, 0); print $r, " ", $!+0`),
      ).toBe(`-1 ${ENOSYS}`)
    })

    it('a user namespace cannot be had by the program for it', async () => {
      expect((await sh('unshare -U true; unshare -Urm true; unshare -n true')).code).not.toBe(0)
    })

    it('sockets to hypervisors, packets, crypto and bluetooth do not exist', async () => {
      for (const family of [17, 31, 38, 40]) {
        expect(await perl(callScript('socket', `${family}, 3, 0`))).toBe('-1 97')
      }
      expect(
        await perl(`$r = syscall(${numberOf('socket')}, 1, 1, 0); print $r >= 0 ? "unix" : "none"`),
      ).toBe('unix')
    })

    it('characters cannot be pushed into a terminal', async () => {
      expect(await perl(callScript('ioctl', '0, 0x5412, "x"'))).toBe(`-1 ${EPERM}`)
      expect((await sh('echo x > /dev/tty')).code).not.toBe(0)
    })

    it('it has no capability, and cannot gain one', async () => {
      const { stdout } = await sh(
        'grep -E "^Cap" /proc/self/status | cut -f2 | sort -u; grep ^Seccomp: /proc/self/status | cut -f2',
      )
      expect(stdout).toBe('0000000000000000\n2\n')
    })
  })

  describe('the network', () => {
    it('a port of the host loopback is out of reach, and was open', async () => {
      const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as { port: number }
      const control: ChildProcess = spawn('perl', ['-e', connectScript(port)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [said] = (await once(control.stdout as NonNullable<ChildProcess['stdout']>, 'data')) as [Buffer]
      expect(String(said)).toBe('in')
      expect(await perl(connectScript(port))).toMatch(/^out: /)
      server.close()
    })

    it('the metadata address, an address of the internet and names cannot be reached', async () => {
      expect(await perl(connectScript(80, '169.254.169.254'))).toMatch(/^out: /)
      expect(await perl(connectScript(443, '1.1.1.1'))).toMatch(/^out: /)
      expect((await sh('getent hosts example.com')).code).not.toBe(0)
    })

    it('an abstract unix socket of the host is out of reach, and was open', async () => {
      const name = `wall-escape-${process.pid}`
      const server = createServer((socket) => socket.end()).listen(`\0${name}`)
      await once(server, 'listening')
      const script = `use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); print connect(S, pack_sockaddr_un("\\0${name}")) ? "in" : "out: $!"`
      const control = spawn('perl', ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
      const [said] = (await once(control.stdout, 'data')) as [Buffer]
      expect(String(said)).toBe('in')
      expect(await perl(script)).toBe('out: Connection refused')
      server.close()
    })
  })

  describe('exhausting the machine', () => {
    it('a fork bomb is ended and named, and the host keeps its processes', async () => {
      const result = await sh("perl -e 'while (1) { fork }'")
      expect(result).toMatchObject({ ended: 'process_limit', code: null })
      expect(onHost('print fork() ? "alive" : ""')).toContain('alive')
    })

    it('a memory hog is ended and named', async () => {
      const script = 'while (1) { push @x, "a" x (8 << 20); select undef, undef, undef, 0.01 }'
      expect((await wall.exec(['perl', '-e', script], options)).ended).toBe('memory_limit')
    })

    it('/dev/shm, /tmp and HOME are full at their size, and the root has no room at all', async () => {
      for (const dir of ['/dev/shm', '/tmp', '/home/agent']) {
        const { stdout, stderr } = await sh(`head -c 30M /dev/zero > ${dir}/x; stat -c %s ${dir}/x`)
        expect(stderr).toContain('No space left')
        expect(Number(stdout)).toBeLessThanOrEqual(2 ** 24)
      }
    })

    it('file descriptors end at the limit', async () => {
      const script = 'while (open my $f, "<", "/dev/null") { push @f, $f } print scalar @f'
      expect(Number(await perl(script))).toBeLessThan(256)
    })

    it('no core is dumped into the workspace', async () => {
      await sh('ulimit -c unlimited; perl -e "kill 11, \\$\\$"')
      expect((await sh('ls core* 2>/dev/null; ulimit -Hc')).stdout).toBe('0\n')
    })
  })

  it('none of this has hurt the other wall or the filter file', async () => {
    const filter = readFileSync(join(root, 'state', `filter-${arch}.bpf`))
    expect(filter.length % 8).toBe(0)
    expect((await other.exec(['cat', 'private'], options)).stdout).toBe('belongs to others')
  })
})
