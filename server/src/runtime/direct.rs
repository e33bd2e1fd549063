//! Writes without the ring. Where the file system cannot begin a write without waiting, as ext4
//! cannot with a buffered one, the ring hands it to a thread of the kernel, on this same CPU: two
//! switches that cost more than the write. A disk that is quick to be durable is waited for.

use std::fs::File;
use std::os::fd::AsRawFd;

use super::event::Errno;

/// Writes all of `bytes` at `offset`; `durable`: with what it takes to survive a loss of power.
pub fn write(file: &File, offset: u64, bytes: &[u8], durable: bool) -> Result<(), Errno> {
    let flags = if durable { libc::RWF_DSYNC } else { 0 };
    let mut written = 0;
    while written < bytes.len() {
        let rest = &bytes[written..];
        let part = libc::iovec { iov_base: rest.as_ptr().cast_mut().cast(), iov_len: rest.len() };
        let at = (offset + written as u64) as libc::off_t;
        // SAFETY: the vector names one part, which is `rest` and only read; both live until the
        // call returns.
        let taken = unsafe { libc::pwritev2(file.as_raw_fd(), &part, 1, at, flags) };
        match taken {
            0 => return Err(Errno(libc::EIO)),
            1.. => written += taken as usize,
            _ => {
                let error = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
                if error != libc::EINTR {
                    return Err(Errno(error));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_there_at_its_offset() {
        let name = format!("freehold-direct-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let file = File::create(&path).expect("a file");
        write(&file, 3, b"later", true).expect("written");
        write(&file, 0, b"abc", false).expect("written");
        assert_eq!(std::fs::read(&path).expect("there"), b"abclater");
        let reads = File::open(&path).expect("there");
        assert!(write(&reads, 0, b"x", false).is_err(), "it is open for reading only");
        std::fs::remove_file(&path).expect("ours");
    }
}
