//! The requests of the kernel, each answered from the state. Files are opened for direct I/O: the
//! kernel then keeps no pages that would outlive a loss of power, and hands a write with O_DSYNC or
//! RWF_DSYNC over as one request that says so, in place of a write and a sync.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::content::Content;
use super::names::Names;
use super::state::{Shared, State, Waiting};
use super::tree::{Body, Tree};

/// The kernel asks again every time: a loss of power changes names and lengths behind its back.
const FRESH: Duration = Duration::ZERO;
const BLOCK: u32 = 4096;
/// What O_DSYNC is on every platform this runs on; O_SYNC contains it.
const O_DSYNC: i32 = 0o10_000;

/// A fallocate that leaves the length as it is, and none.
const KEEP_SIZE: i32 = 1;

const DIRECT: FopenFlags =
    FopenFlags::FOPEN_DIRECT_IO.union(FopenFlags::FOPEN_PARALLEL_DIRECT_WRITES);

/// The mount's answers.
pub struct Requests {
    shared: Arc<Shared>,
}

impl Requests {
    pub fn new(shared: &Arc<Shared>) -> Requests {
        Requests { shared: Arc::clone(shared) }
    }

    /// Does something to the tree, while there is power.
    fn on_tree<T>(&self, deed: impl FnOnce(&mut Tree) -> Result<T, Errno>) -> Result<T, Errno> {
        self.shared.state().powered().and_then(deed)
    }

    fn done(&self, reply: ReplyEmpty, deed: impl FnOnce(&mut Tree) -> Result<(), Errno>) {
        match self.on_tree(deed) {
            Ok(()) => reply.ok(),
            Err(errno) => reply.error(errno),
        }
    }

    fn sync(&self, node: INodeNo, reply: ReplyEmpty) {
        let mut state = self.shared.state();
        match state.powered().and_then(|tree| tree.sync(node.0)) {
            Ok(synced) => self.shared.sync(&mut state, synced, Waiting::Sync(reply)),
            Err(errno) => reply.error(errno),
        }
    }

    fn open(&self, node: INodeNo, list: bool) -> Result<FileHandle, Errno> {
        let mut state = self.shared.state();
        let tree = state.powered()?;
        let listing = if list { Some(tree.list(node.0)?) } else { None };
        tree.open(node.0)?;
        Ok(handle(&mut state, listing))
    }
}

fn handle(state: &mut State, listing: Option<Vec<(std::ffi::OsString, u64)>>) -> FileHandle {
    let handle = state.next_handle;
    state.next_handle += 1;
    state.listings.extend(listing.map(|listing| (handle, listing)));
    FileHandle(handle)
}

fn attributes(tree: &Tree, id: u64) -> Result<FileAttr, Errno> {
    let node = tree.node(id)?;
    let (kind, size, held, nlink) = match &node.body {
        Body::File(content) => {
            (FileType::RegularFile, content.now().length(), content.now().held(), node.links)
        }
        Body::Directory(_) => (FileType::Directory, u64::from(BLOCK), 0, 2),
    };
    Ok(FileAttr {
        ino: INodeNo(id),
        size,
        blocks: held.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: node.modified,
        ctime: node.modified,
        crtime: UNIX_EPOCH,
        kind,
        perm: node.permissions,
        nlink,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    })
}

fn told(reply: ReplyEntry, outcome: Result<FileAttr, Errno>) {
    match outcome {
        Ok(attributes) => reply.entry(&FRESH, &attributes, Generation(0)),
        Err(errno) => reply.error(errno),
    }
}

fn opened(reply: ReplyOpen, outcome: Result<FileHandle, Errno>, flags: FopenFlags) {
    match outcome {
        Ok(handle) => reply.opened(handle, flags),
        Err(errno) => reply.error(errno),
    }
}

impl Filesystem for Requests {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let find = |tree: &mut Tree| attributes(tree, tree.find(parent.0, name)?);
        told(reply, self.on_tree(find));
    }

    fn getattr(&self, _: &Request, node: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        // Without power too: a mount that cannot be looked at cannot be unmounted.
        match attributes(&self.shared.state().tree, node.0) {
            Ok(attributes) => reply.attr(&FRESH, &attributes),
            Err(errno) => reply.error(errno),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        node: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let outcome = self.on_tree(|tree| {
            if let Some(size) = size {
                tree.resize(node.0, size)?;
            }
            if let Some(mode) = mode {
                tree.permit(node.0, permissions(mode))?;
            }
            attributes(tree, node.0)
        });
        match outcome {
            Ok(attributes) => reply.attr(&FRESH, &attributes),
            Err(errno) => reply.error(errno),
        }
    }

    fn mkdir(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        reply: ReplyEntry,
    ) {
        let made = self.on_tree(|tree| {
            let body = Body::Directory(Names::default());
            let id = tree.make(parent.0, name, body, permissions(mode))?;
            attributes(tree, id)
        });
        told(reply, made);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.done(reply, |tree| tree.remove(parent.0, name, false));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.done(reply, |tree| tree.remove(parent.0, name, true));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if !flags.is_empty() {
            return reply.error(Errno::EINVAL);
        }
        self.done(reply, |tree| tree.rename((parent.0, name), (new_parent.0, new_name)));
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let mut state = self.shared.state();
        let made = state.powered().and_then(|tree| {
            let body = Body::File(Content::default());
            let id = tree.make(parent.0, name, body, permissions(mode))?;
            tree.open(id)?;
            attributes(tree, id)
        });
        match made {
            Ok(attributes) => {
                let handle = handle(&mut state, None);
                reply.created(&FRESH, &attributes, Generation(0), handle, DIRECT);
            }
            Err(errno) => reply.error(errno),
        }
    }

    fn open(&self, _: &Request, node: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        opened(reply, self.open(node, false), DIRECT);
    }

    fn read(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let read = |tree: &mut Tree| Ok(tree.content(node.0)?.now().read(offset, size as usize));
        match self.on_tree(read) {
            Ok(bytes) => reply.data(&bytes),
            Err(errno) => reply.error(errno),
        }
    }

    fn write(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        flags: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut state = self.shared.state();
        let bytes = data.len() as u32;
        match state.powered().and_then(|tree| tree.write(node.0, offset, data)) {
            Ok(synced) if flags.0 & O_DSYNC != 0 => {
                self.shared.sync(&mut state, synced, Waiting::Write(reply, bytes));
            }
            Ok(_) => reply.written(bytes),
            Err(errno) => reply.error(errno),
        }
    }

    fn release(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        self.shared.state().tree.close(node.0);
        reply.ok();
    }

    fn fsync(&self, _: &Request, node: INodeNo, _: FileHandle, _data: bool, reply: ReplyEmpty) {
        self.sync(node, reply);
    }

    fn fsyncdir(&self, _: &Request, node: INodeNo, _: FileHandle, _data: bool, reply: ReplyEmpty) {
        self.sync(node, reply);
    }

    fn opendir(&self, _: &Request, node: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        opened(reply, self.open(node, true), FopenFlags::empty());
    }

    /// What was there when the directory was opened: places in it stay what they are while names
    /// come and go.
    fn readdir(
        &self,
        _: &Request,
        node: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let state = self.shared.state();
        let Some(listing) = state.listings.get(&handle.0) else {
            return reply.error(Errno::EBADF);
        };
        let own = [(OsStr::new("."), node.0), (OsStr::new(".."), node.0)];
        let listed = listing.iter().map(|(name, id)| (name.as_os_str(), *id));
        let entries = own.into_iter().chain(listed).zip(1..);
        for ((name, id), next) in entries.skip(offset as usize) {
            let kind = match state.tree.node(id).map(|node| &node.body) {
                Ok(Body::Directory(_)) => FileType::Directory,
                _ => FileType::RegularFile,
            };
            if reply.add(INodeNo(id), next, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(
        &self,
        _: &Request,
        node: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        reply: ReplyEmpty,
    ) {
        let mut state = self.shared.state();
        state.listings.remove(&handle.0);
        state.tree.close(node.0);
        reply.ok();
    }

    fn fallocate(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        if mode & !KEEP_SIZE != 0 {
            return reply.error(Errno::EOPNOTSUPP);
        }
        self.done(reply, |tree| {
            let now = tree.content(node.0)?.now().length();
            let end = offset.saturating_add(length);
            if mode & KEEP_SIZE == 0 && end > now { tree.resize(node.0, end) } else { Ok(()) }
        });
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        // As much as anybody may want, in blocks: what bounds it is this process's memory.
        let blocks = 1 << 28;
        let used = self.shared.state().tree.held() / u64::from(BLOCK);
        reply.statfs(blocks, blocks - used, blocks - used, 1 << 20, 1 << 19, BLOCK, 255, BLOCK);
    }
}

fn permissions(mode: u32) -> u16 {
    (mode & 0o7777) as u16
}
