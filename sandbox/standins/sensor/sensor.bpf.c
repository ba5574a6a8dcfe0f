// SPDX-License-Identifier: GPL-2.0-only
/* What happens on one node, from the kernel: system calls that somebody asked for, starts and ends of processes.
 *
 * The programs only gather: which system calls, and which of their arguments are texts, descriptors or directories,
 * is told by the map `wanted`, which the loader fills from the rules. Records go to the ring buffer `records`; one that
 * finds it full is counted in `counts`. The layout of `struct record` is read by internal/sensor/record.go. */
#include "kernel.h"

char LICENSE[] SEC("license") = "GPL"; /* the kernel gives its probe helpers to GPL programs alone */

enum { SYSCALL, EXEC, FORK, EXIT };
enum { SEEN, DROPPED };
enum { UPPER_LAYER = 1, LOWER_LAYER = 2, FROM_MEMORY = 4, EXE_WRITABLE = 8, CREATED = 16, IS_SOCKET = 32 };

#define LAST_SYSCALL 512
#define LEVELS 8 /* of nested PID namespaces */
#define COMPONENTS 48
#define NAME_BYTES 256
#define TEXT_BYTES 4096
#define DATA_BYTES 16384
#define NOTHING -1
#define RESULT 6 /* an argument's number that stands for what the call returned */
#define AT_FDCWD -100
#define OVERLAYFS_MAGIC 0x794c7630
#define FMODE_CREATED 0x100000
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IWUGO 0222
#define AF_INET 2
#define AF_INET6 10

/* What is wanted of a system call: numbers of its arguments, or NOTHING. */
struct wanted {
	__u8 on;
	__s8 text[2]; /* texts, paths as a rule */
	__s8 dir[2];  /* descriptors of the directories that these are relative to; NOTHING is the current one */
	__s8 fd;      /* a descriptor, or RESULT */
	__s8 address; /* a socket address, its length follows */
	__s8 how;     /* a struct open_how: its flags and its mode take the place of arguments 4 and 5 */
};

/* Texts of a record follow each other in `data`; paths are their components from the last to the first. */
enum { TEXT, BASE, TEXT2, BASE2, FILE_PATH, ADDRESS, TEXTS };

struct record {
	__u64 time_ns; /* since boot */
	__s64 result;
	__u64 args[6];
	__u32 kind, nr;
	__u32 pid, tid, vpid, vtid, ppid;
	__u32 uid, gid, loginuid, tty, flags;
	char comm[16];
	char cgroup[80];
	__u16 family, type, protocol, local_port, remote_port, unused;
	__u8 local[16], remote[16];
	__u16 size[TEXTS];
	__u32 used;
	char data[DATA_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LAST_SYSCALL);
	__type(key, __u32);
	__type(value, struct wanted);
} wanted SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

/* One for each kind: the programs interrupt each other, but none of them itself. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct record);
} scratch SEC(".maps");

const volatile __u32 node_pid_namespace = 0; /* inode number */
const volatile __u32 own_pid = 0, asking_pid = 0; /* there; not watched are the sensor and who asks it */

static void count(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&counts, &what);
	if (n)
		(*n)++;
}

/* The number of a task in the node's PID namespace; 0 if the node does not contain it. */
static __u32 pid_on_node(struct task_struct *task, __u32 *innermost)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	if (!pid)
		return 0;
	__u32 level = BPF_CORE_READ(pid, level), found = 0;
	void *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	for (__u32 i = 0; i < LEVELS; i++) {
		if (i > level)
			break;
		struct upid *at = numbers + i * bpf_core_type_size(struct upid);
		__u32 nr = BPF_CORE_READ(at, nr);
		if (!found && BPF_CORE_READ(at, ns, ns.inum) == node_pid_namespace)
			found = nr;
		*innermost = nr;
	}
	return found;
}

static struct record *begin(__u32 kind, struct task_struct *task)
{
	__u32 vpid = 0, vtid = 0;
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	__u32 pid = pid_on_node(leader, &vpid);
	if (!pid || pid == own_pid || pid == asking_pid)
		return 0;
	struct record *r = bpf_map_lookup_elem(&scratch, &kind);
	if (!r)
		return 0;
	r->time_ns = bpf_ktime_get_boot_ns();
	r->kind = kind;
	r->nr = 0;
	r->result = 0;
	r->pid = pid;
	r->vpid = vpid;
	r->tid = pid_on_node(task, &vtid);
	r->vtid = vtid;
	__u32 ignored;
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent, group_leader);
	r->ppid = pid_on_node(parent, &ignored);
	r->uid = BPF_CORE_READ(task, cred, uid.val);
	r->gid = BPF_CORE_READ(task, cred, gid.val);
	r->loginuid = bpf_core_field_exists(task->loginuid) ? BPF_CORE_READ(task, loginuid.val) : -1;
	r->tty = 0;
	struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);
	if (tty) /* as new_encode_dev() writes a device number with a minor below 256 */
		r->tty = BPF_CORE_READ(tty, driver, major) << 8 | (BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index));
	r->flags = 0;
	BPF_CORE_READ_STR_INTO(&r->comm, task, comm);
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	__u32 memory = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	struct cgroup_subsys_state **states = (void *)set + bpf_core_field_offset(struct css_set, subsys);
	struct cgroup_subsys_state *state = 0;
	bpf_probe_read_kernel(&state, sizeof(state), &states[memory]);
	const char *group = BPF_CORE_READ(state, cgroup, kn, name);
	r->cgroup[0] = 0;
	bpf_probe_read_kernel_str(r->cgroup, sizeof(r->cgroup), group);
	r->family = r->type = r->protocol = r->local_port = r->remote_port = 0;
	for (int i = 0; i < TEXTS; i++)
		r->size[i] = 0;
	r->used = 0;
	return r;
}

static void end(struct record *r)
{
	__u32 used = r->used;
	if (used > DATA_BYTES)
		return;
	count(SEEN);
	if (bpf_ringbuf_output(&records, r, __builtin_offsetof(struct record, data) + used, 0))
		count(DROPPED);
}

/* Appends a path: names from its end up to the root of the task, each ended by a zero byte. */
static void add_path(struct record *r, __u32 which, struct path *path, struct task_struct *task)
{
	struct vfsmount *root_mount = BPF_CORE_READ(task, fs, root.mnt);
	struct dentry *root = BPF_CORE_READ(task, fs, root.dentry);
	struct dentry *at = BPF_CORE_READ(path, dentry);
	struct mount *mount = (void *)BPF_CORE_READ(path, mnt) - bpf_core_field_offset(struct mount, mnt);
	__u32 start = r->used, used = start;
	for (int i = 0; i < COMPONENTS; i++) {
		struct vfsmount *view = (void *)mount + bpf_core_field_offset(struct mount, mnt);
		if (at == root && view == root_mount)
			break;
		if (at == BPF_CORE_READ(mount, mnt.mnt_root)) {
			struct mount *above = BPF_CORE_READ(mount, mnt_parent);
			if (above == mount)
				break;
			at = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		if (used > DATA_BYTES - NAME_BYTES)
			break;
		long size = bpf_probe_read_kernel_str(&r->data[used], NAME_BYTES, BPF_CORE_READ(at, d_name.name));
		if (size <= 0 || size > NAME_BYTES)
			break;
		used += size;
		struct dentry *parent = BPF_CORE_READ(at, d_parent);
		if (parent == at) /* a file that was made in no directory, as memfd_create() does */
			break;
		at = parent;
	}
	r->used = used;
	r->size[which] = used - start;
}

static void add_text(struct record *r, __u32 which, const char *from)
{
	__u32 used = r->used;
	if (used > DATA_BYTES - TEXT_BYTES)
		return;
	long size = bpf_probe_read_user_str(&r->data[used], TEXT_BYTES, from);
	if (size <= 0 || size > TEXT_BYTES)
		return;
	r->used = used + size;
	r->size[which] = size;
}

static void add_bytes(struct record *r, __u32 which, const void *from, __u32 size)
{
	__u32 used = r->used;
	if (used > DATA_BYTES - TEXT_BYTES)
		return;
	if (size > TEXT_BYTES)
		size = TEXT_BYTES;
	if (!size || bpf_probe_read_user(&r->data[used], size, from))
		return;
	r->used = used + size;
	r->size[which] = size;
}

static struct file *file_of(struct task_struct *task, __s32 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = 0;
	if (fd < 0 || (__u32)fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd);
	return file;
}

static void add_socket(struct record *r, struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk);
	r->flags |= IS_SOCKET;
	r->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	r->type = BPF_CORE_READ(sk, sk_type);
	r->protocol = BPF_CORE_READ(sk, sk_protocol);
	if (r->family != AF_INET && r->family != AF_INET6)
		return;
	r->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	r->remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (r->family == AF_INET6) {
		bpf_core_read(r->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(r->remote, 16, &sk->__sk_common.skc_v6_daddr);
	} else {
		bpf_core_read(r->local, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(r->remote, 4, &sk->__sk_common.skc_daddr);
	}
}

static void add_file(struct record *r, struct task_struct *task, __s32 fd)
{
	struct file *file = file_of(task, fd);
	if (!file)
		return;
	__u16 mode = BPF_CORE_READ(file, f_inode, i_mode);
	if ((mode & S_IFMT) == S_IFSOCK) {
		add_socket(r, file);
		return;
	}
	if (BPF_CORE_READ(file, f_mode) & FMODE_CREATED)
		r->flags |= CREATED;
	add_path(r, FILE_PATH, (void *)file + bpf_core_field_offset(struct file, f_path), task);
}

/* The directory that a relative path begins at. */
static void add_base(struct record *r, __u32 which, struct task_struct *task, __s32 fd)
{
	struct path *path = (void *)BPF_CORE_READ(task, fs) + bpf_core_field_offset(struct fs_struct, pwd);
	if (fd != AT_FDCWD) {
		struct file *file = file_of(task, fd);
		if (!file)
			return;
		path = (void *)file + bpf_core_field_offset(struct file, f_path);
	}
	add_path(r, which, path, task);
}

static __u64 argument(struct record *r, __s8 number)
{
	switch (number) {
	case 0: return r->args[0];
	case 1: return r->args[1];
	case 2: return r->args[2];
	case 3: return r->args[3];
	case 4: return r->args[4];
	case 5: return r->args[5];
	}
	return r->result;
}

static __always_inline void add_argument_text(struct record *r, struct task_struct *task, __s8 number, __s8 dir, __u32 text,
					      __u32 base)
{
	char first = 0;
	const char *from = (const char *)argument(r, number);
	add_text(r, text, from);
	if (bpf_probe_read_user(&first, 1, from) == 0 && first != '/')
		add_base(r, base, task, dir == NOTHING ? AT_FDCWD : (__s32)argument(r, dir));
}

SEC("tp_btf/sys_exit")
int on_syscall(__u64 *context)
{
	struct pt_regs *regs = (void *)context[0];
	__u32 nr = regs->orig_ax;
	struct wanted *w = bpf_map_lookup_elem(&wanted, &nr);
	if (!w || !w->on)
		return 0;
	struct task_struct *task = (void *)bpf_get_current_task();
	struct record *r = begin(SYSCALL, task);
	if (!r)
		return 0;
	r->nr = nr;
	r->result = (__s64)context[1];
	r->args[0] = regs->di;
	r->args[1] = regs->si;
	r->args[2] = regs->dx;
	r->args[3] = regs->r10;
	r->args[4] = regs->r8;
	r->args[5] = regs->r9;
	if (w->how != NOTHING)
		bpf_probe_read_user(&r->args[4], 2 * sizeof(r->args[0]), (const void *)argument(r, w->how));
	if (w->text[0] != NOTHING)
		add_argument_text(r, task, w->text[0], w->dir[0], TEXT, BASE);
	if (w->text[1] != NOTHING)
		add_argument_text(r, task, w->text[1], w->dir[1], TEXT2, BASE2);
	if (w->address != NOTHING)
		add_bytes(r, ADDRESS, (const void *)argument(r, w->address), (__u32)argument(r, w->address + 1) & 0xff);
	if (w->fd != NOTHING)
		add_file(r, task, (__s32)argument(r, w->fd));
	end(r);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int on_exec(__u64 *context)
{
	struct task_struct *task = (void *)context[0];
	struct linux_binprm *program = (void *)context[2];
	struct record *r = begin(EXEC, task);
	if (!r)
		return 0;
	struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	r->nr = BPF_CORE_READ(regs, orig_ax);
	unsigned long from = BPF_CORE_READ(task, mm, arg_start), to = BPF_CORE_READ(task, mm, arg_end);
	add_bytes(r, TEXT, (const void *)from, to - from);
	add_base(r, BASE, task, AT_FDCWD);
	struct file *file = BPF_CORE_READ(program, file);
	struct path *path = (void *)file + bpf_core_field_offset(struct file, f_path);
	add_path(r, FILE_PATH, path, task);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	if (BPF_CORE_READ(inode, i_mode) & S_IWUGO)
		r->flags |= EXE_WRITABLE;
	if (BPF_CORE_READ(inode, i_sb, s_magic) == OVERLAYFS_MAGIC) {
		/* struct ovl_inode: the dentry of the upper layer follows the inode that everybody sees. */
		struct dentry *upper = 0;
		bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
		r->flags |= upper ? UPPER_LAYER : LOWER_LAYER;
	}
	end(r);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int on_fork(__u64 *context)
{
	struct task_struct *child = (void *)context[1];
	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid))
		return 0;
	struct record *r = begin(FORK, child);
	if (r)
		end(r);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int on_exit(__u64 *context)
{
	struct task_struct *task = (void *)context[0];
	if (BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid))
		return 0;
	struct record *r = begin(EXIT, task);
	if (r)
		end(r);
	return 0;
}
