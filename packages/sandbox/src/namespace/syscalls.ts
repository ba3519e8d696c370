export type Arch = 'x64' | 'arm64'

/** AUDIT_ARCH_* of linux/audit.h: a filter that does not check it can be bypassed by another ABI's numbers. */
export const auditArch: Record<Arch, number> = { x64: 0xc000003e, arm64: 0xc00000b7 }

/** Calls the filter looks at the arguments of. */
export const inspected: Record<
  'clone' | 'unshare' | 'ioctl' | 'socket' | 'socketpair',
  Record<Arch, number>
> = {
  clone: { x64: 56, arm64: 220 },
  unshare: { x64: 272, arm64: 97 },
  ioctl: { x64: 16, arm64: 29 },
  socket: { x64: 41, arm64: 198 },
  socketpair: { x64: 53, arm64: 199 },
}

/**
 * Calls that answer ENOSYS, so that programs fall back: glibc from clone3 to clone (whose flags a filter can read;
 * those of clone3 are behind a pointer), libuv and others from io_uring to epoll.
 */
export const missing: [name: string, x64: number, arm64: number][] = [
  ['clone3', 435, 435],
  ['io_uring_setup', 425, 425],
  ['io_uring_enter', 426, 426],
  ['io_uring_register', 427, 427],
]

/** Calls that answer EPERM. A null number: the architecture has no such call. */
export const denied: [name: string, x64: number, arm64: number | null][] = [
  ['mount', 165, 40],
  ['umount2', 166, 39],
  ['pivot_root', 155, 41],
  ['chroot', 161, 51],
  ['open_tree', 428, 428],
  ['move_mount', 429, 429],
  ['fsopen', 430, 430],
  ['fsconfig', 431, 431],
  ['fsmount', 432, 432],
  ['fspick', 433, 433],
  ['mount_setattr', 442, 442],
  ['open_tree_attr', 467, 467],
  ['setns', 308, 268],
  ['ptrace', 101, 117],
  ['process_vm_readv', 310, 270],
  ['process_vm_writev', 311, 271],
  ['process_madvise', 440, 440],
  ['pidfd_getfd', 438, 438],
  ['kcmp', 312, 272],
  ['bpf', 321, 280],
  ['perf_event_open', 298, 241],
  ['userfaultfd', 323, 282],
  ['fanotify_init', 300, 262],
  ['add_key', 248, 217],
  ['request_key', 249, 218],
  ['keyctl', 250, 219],
  ['create_module', 174, null],
  ['init_module', 175, 105],
  ['finit_module', 313, 273],
  ['delete_module', 176, 106],
  ['kexec_load', 246, 104],
  ['kexec_file_load', 320, 294],
  ['reboot', 169, 142],
  ['settimeofday', 164, 170],
  ['adjtimex', 159, 171],
  ['clock_settime', 227, 112],
  ['clock_adjtime', 305, 266],
  ['swapon', 167, 224],
  ['swapoff', 168, 225],
  ['acct', 163, 89],
  ['quotactl', 179, 60],
  ['quotactl_fd', 443, 443],
  ['syslog', 103, 116],
  ['vhangup', 153, 58],
  ['sethostname', 170, 161],
  ['setdomainname', 171, 162],
  ['open_by_handle_at', 304, 265],
  ['lookup_dcookie', 212, 18],
  ['nfsservctl', 180, 42],
  ['migrate_pages', 256, 238],
  ['move_pages', 279, 239],
  ['iopl', 172, null],
  ['ioperm', 173, null],
  ['modify_ldt', 154, null],
  ['uselib', 134, null],
  ['sysfs', 139, null],
  ['_sysctl', 156, null],
]
