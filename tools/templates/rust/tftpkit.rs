//! The plugin ABI 1.0 of tftpkit for Rust: the structs of <tftpkit/plugin.h> and a safe layer over them. Belongs to your
//! project: change it as you like. Panics stop here and fail the request; nothing unwinds into the server.
#![allow(dead_code)]

use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};

pub type Status = i32;
pub const OK: Status = 0;
pub const DECLINED: Status = 2;
pub const E_INTERNAL: Status = -1;
pub const E_NOT_FOUND: Status = -10;
pub const E_ACCESS: Status = -20;
pub const E_NO_SPACE: Status = -30;
pub const E_IO: Status = -100;
pub const E_UNAVAILABLE: Status = -110;
pub const E_TIMEOUT: Status = -120;
pub const E_CANCELLED: Status = -130;

pub const EXEC_SERIAL: u32 = 0;
pub const EXEC_PARALLEL: u32 = 100;
pub const EXEC_INLINE: u32 = 200;

const SOURCE_BUFFER: u32 = 10;
const SOURCE_STREAM: u32 = 30;
const SOURCE_REDIRECT: u32 = 40;
const SIZE_UNKNOWN: u64 = u64::MAX;
const ABI_VERSION: u32 = 1 << 16;

/// The structs as they travel. Later minors only append; `struct_size` says how far one reaches.
pub mod raw {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Str {
        pub ptr: *const c_char,
        pub len: usize,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Addr {
        pub family: u16,
        pub port: u16,
        pub scope_id: u32,
        pub bytes: [u8; 16],
    }

    #[repr(C)]
    pub struct Pair {
        pub name: Str,
        pub value: Str,
    }

    #[repr(C)]
    pub struct Request {
        pub struct_size: u32,
        pub op: u32,
        pub id: u64,
        pub announced_size: u64,
        pub path: Str,
        pub wire_path: Str,
        pub mode: u32,
        pub blksize: u32,
        pub windowsize: u32,
        pub answer_within_ms: u32,
        pub peer: Addr,
        pub local: Addr,
        pub redirects: u32,
        pub option_count: u32,
        pub options: *const Pair,
    }

    #[repr(C)]
    pub struct Source {
        pub struct_size: u32,
        pub kind: u32,
        pub size: u64,
        pub fd_offset: u64,
        pub transfer: *mut c_void,
        pub data: *const c_void,
        pub redirect: Str,
        pub fd: i32,
        pub flags: u32,
    }

    #[repr(C)]
    pub struct Host {
        pub struct_size: u32,
        pub abi_version: u32,
        pub imp: *mut c_void,
        pub product: *const c_char,
        pub product_version: *const c_char,
        pub instance_name: *const c_char,
        pub log: unsafe extern "C" fn(*const Host, u32, *const c_char, usize),
        pub log_enabled: unsafe extern "C" fn(*const Host, u32) -> i32,
        pub explain: unsafe extern "C" fn(*const Host, *const c_char, usize),
        pub setting: unsafe extern "C" fn(*const Host, *const c_char, *mut Str) -> i32,
        pub setting_int: unsafe extern "C" fn(*const Host, *const c_char, *mut i64) -> i32,
        pub setting_count: unsafe extern "C" fn(*const Host, *const c_char) -> usize,
        pub cancelled: unsafe extern "C" fn(*const Host, u64) -> i32,
        pub complete: unsafe extern "C" fn(
            *const Host, u64, Status, *const Source, *const c_void, *const c_char, usize,
        ) -> Status,
        pub peer_link_address: unsafe extern "C" fn(*const Host, u64, *mut u8) -> Status,
        pub extension: unsafe extern "C" fn(*const Host, *const c_char) -> *const c_void,
    }

    #[repr(C)]
    pub struct Descriptor {
        pub struct_size: u32,
        pub abi_version: u32,
        pub abi_minor_needed: u32,
        pub execution: u32,
        pub flags: u32,
        pub reserved: u32,
        pub name: *const c_char,
        pub version: *const c_char,
        pub summary: *const c_char,
        pub license: *const c_char,
        pub homepage: *const c_char,
        pub settings_schema: *const c_char,
        pub create: Option<unsafe extern "C" fn(*const Host, *mut *mut c_void) -> Status>,
        pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
        pub start: Option<unsafe extern "C" fn(*mut c_void) -> Status>,
        pub stop: Option<unsafe extern "C" fn(*mut c_void)>,
        pub open_read: Option<unsafe extern "C" fn(*mut c_void, *const Request, *mut Source) -> Status>,
        pub read: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *mut c_void, usize) -> i64>,
        pub open_write: *const c_void,
        pub write: *const c_void,
        pub commit: *const c_void,
        pub close: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *const c_void)>,
        pub cancel: *const c_void,
        pub extension: *const c_void,
    }
    // Constant and never written: the pointers in it may be shared.
    unsafe impl Sync for Descriptor {}

    // The layout of ABI 1.0; another one does not compile.
    const POINTER: usize = std::mem::size_of::<usize>();
    const _: [(); if POINTER == 8 { 64 } else { 48 }] = [(); std::mem::size_of::<Source>()];
    const _: [(); if POINTER == 8 { 120 } else { 64 }] = [(); std::mem::size_of::<Host>()];
    const _: [(); if POINTER == 8 { 168 } else { 96 }] = [(); std::mem::size_of::<Descriptor>()];
}

/// Why something fails: a status for programs, a sentence for people.
pub struct Failure {
    pub status: Status,
    pub why: String,
}

impl Failure {
    pub fn new(status: Status, why: impl Into<String>) -> Self {
        Failure { status, why: why.into() }
    }
    pub fn internal(why: impl Into<String>) -> Self {
        Failure::new(E_INTERNAL, why)
    }
}

unsafe fn text_of<'a>(text: &'a raw::Str) -> &'a str {
    if text.ptr.is_null() {
        return "";
    }
    std::str::from_utf8(std::slice::from_raw_parts(text.ptr as *const u8, text.len)).unwrap_or("")
}

/// What the server offers to one instance. Usable from any thread as long as the plugin object lives.
#[derive(Clone, Copy)]
pub struct Host(*const raw::Host);
unsafe impl Send for Host {}
unsafe impl Sync for Host {}

impl Host {
    /// A setting by JSON pointer, such as "/greeting".
    pub fn setting(&self, pointer: &str) -> Option<String> {
        let pointer = std::ffi::CString::new(pointer).ok()?;
        let mut value = raw::Str { ptr: std::ptr::null(), len: 0 };
        let found = unsafe { ((*self.0).setting)(self.0, pointer.as_ptr(), &mut value) };
        if found == 0 { None } else { Some(unsafe { text_of(&value) }.to_owned()) }
    }
    /// Whole numbers, sizes in bytes, durations in milliseconds.
    pub fn setting_int(&self, pointer: &str) -> Option<i64> {
        let pointer = std::ffi::CString::new(pointer).ok()?;
        let mut value = 0;
        let found = unsafe { ((*self.0).setting_int)(self.0, pointer.as_ptr(), &mut value) };
        if found == 0 { None } else { Some(value) }
    }
    /// Level 10 debug, 20 info, 30 warning, 40 error.
    pub fn log(&self, level: u32, text: &str) {
        unsafe { ((*self.0).log)(self.0, level, text.as_ptr() as *const c_char, text.len()) }
    }
    fn explain(&self, text: &str) {
        unsafe { ((*self.0).explain)(self.0, text.as_ptr() as *const c_char, text.len()) }
    }
}

/// What a client asks for.
pub struct Request<'a>(&'a raw::Request);

impl<'a> Request<'a> {
    /// The clean name: no "..", no '/' at either end.
    pub fn path(&self) -> &'a str {
        unsafe { text_of(&self.0.path) }
    }
    pub fn id(&self) -> u64 {
        self.0.id
    }
    pub fn peer(&self) -> raw::Addr {
        self.0.peer
    }
    /// The value of an option; the name in lower case.
    pub fn option(&self, name: &str) -> Option<&'a str> {
        if self.0.option_count == 0 {
            return None;
        }
        let all = unsafe { std::slice::from_raw_parts(self.0.options, self.0.option_count as usize) };
        all.iter().find(|one| unsafe { text_of(&one.name) } == name).map(|one| unsafe { text_of(&one.value) })
    }
}

/// A source that is read piece by piece: how many bytes were put into the buffer, 0 at the end.
pub trait Stream: Send {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Failure>;
}

pub enum Answer {
    Bytes(Vec<u8>),
    /// With its size in bytes, when that is known: exactly so many must come.
    Stream(Box<dyn Stream>, Option<u64>),
    /// Another name, for the instances that follow in the route.
    Redirect(String),
    /// "Not mine": the next instance is asked.
    Declined,
}

/// Dropped when the server has no more use for the instance. Calls come from several threads at once when the plugin is
/// exported as EXEC_PARALLEL or EXEC_INLINE, hence Sync.
pub trait Plugin: Sized + Send + Sync {
    fn create(host: Host) -> Result<Self, Failure>;
    fn open(&self, request: &Request) -> Result<Answer, Failure>;
}

/// Behind the macro below: the C functions of one plugin type.
pub mod border {
    use super::*;

    struct Instance<P> {
        plugin: P,
        host: Host,
    }

    // What belongs to one transfer until close().
    enum Transfer {
        Bytes(Vec<u8>),
        Stream(Box<dyn Stream>),
    }

    // Runs `body`; a failure or a panic becomes a status and its explanation.
    fn stopped_here<T>(host: Host, body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Status> {
        let failure = match catch_unwind(AssertUnwindSafe(body)) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(failure)) => failure,
            Err(panic) => {
                let why = panic.downcast_ref::<&str>().map(|text| text.to_string());
                let why = why.or_else(|| panic.downcast_ref::<String>().cloned());
                Failure::internal(why.unwrap_or_else(|| "a panic".to_owned()))
            }
        };
        host.explain(&failure.why);
        Err(failure.status)
    }

    pub unsafe extern "C" fn create<P: Plugin>(host: *const raw::Host, instance: *mut *mut c_void) -> Status {
        let host = Host(host);
        match stopped_here(host, || P::create(host)) {
            Ok(plugin) => {
                *instance = Box::into_raw(Box::new(Instance { plugin, host })) as *mut c_void;
                OK
            }
            Err(status) => status,
        }
    }

    pub unsafe extern "C" fn destroy<P: Plugin>(instance: *mut c_void) {
        let instance = Box::from_raw(instance as *mut Instance<P>);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(instance)));
    }

    pub unsafe extern "C" fn open_read<P: Plugin>(
        instance: *mut c_void, request: *const raw::Request, source: *mut raw::Source,
    ) -> Status {
        let instance = &*(instance as *const Instance<P>);
        let answer = match stopped_here(instance.host, || instance.plugin.open(&Request(&*request))) {
            Ok(answer) => answer,
            Err(status) => return status,
        };
        let source = &mut *source;
        let transfer = match answer {
            Answer::Declined => return DECLINED,
            Answer::Bytes(bytes) => {
                source.kind = SOURCE_BUFFER;
                source.size = bytes.len() as u64;
                source.data = bytes.as_ptr() as *const c_void;
                Transfer::Bytes(bytes)
            }
            Answer::Redirect(path) => {
                source.kind = SOURCE_REDIRECT;
                source.redirect = raw::Str { ptr: path.as_ptr() as *const c_char, len: path.len() };
                Transfer::Bytes(path.into_bytes())
            }
            Answer::Stream(stream, size) => {
                source.kind = SOURCE_STREAM;
                source.size = size.unwrap_or(SIZE_UNKNOWN);
                Transfer::Stream(stream)
            }
        };
        // Moving a Vec does not move its bytes.
        source.transfer = Box::into_raw(Box::new(transfer)) as *mut c_void;
        OK
    }

    pub unsafe extern "C" fn read<P: Plugin>(
        instance: *mut c_void, transfer: *mut c_void, buffer: *mut c_void, capacity: usize,
    ) -> i64 {
        let instance = &*(instance as *const Instance<P>);
        let into = std::slice::from_raw_parts_mut(buffer as *mut u8, capacity);
        let got = stopped_here(instance.host, || match &mut *(transfer as *mut Transfer) {
            Transfer::Stream(stream) => stream.read(into),
            Transfer::Bytes(_) => Ok(0),
        });
        got.map_or_else(i64::from, |count| count as i64)
    }

    pub unsafe extern "C" fn close(_instance: *mut c_void, transfer: *mut c_void, _outcome: *const c_void) {
        let transfer = Box::from_raw(transfer as *mut Transfer);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(transfer)));
    }

    pub const fn descriptor<P: Plugin>(
        name: *const c_char, version: *const c_char, summary: *const c_char, schema: *const c_char, execution: u32,
    ) -> raw::Descriptor {
        raw::Descriptor {
            struct_size: std::mem::size_of::<raw::Descriptor>() as u32,
            abi_version: ABI_VERSION,
            abi_minor_needed: 0,
            execution,
            flags: 0,
            reserved: 0,
            name,
            version,
            summary,
            license: std::ptr::null(),
            homepage: std::ptr::null(),
            settings_schema: schema,
            create: Some(create::<P>),
            destroy: Some(destroy::<P>),
            start: None,
            stop: None,
            open_read: Some(open_read::<P>),
            read: Some(read::<P>),
            open_write: std::ptr::null(),
            write: std::ptr::null(),
            commit: std::ptr::null(),
            close: Some(close),
            cancel: std::ptr::null(),
            extension: std::ptr::null(),
        }
    }
}

/// Exports a plugin; once for each shared object.
macro_rules! export_plugin {
    ($type:ty, name: $name:expr, version: $version:expr, summary: $summary:expr, execution: $execution:expr,
     schema: $schema:expr) => {
        static DESCRIPTOR: $crate::tftpkit::raw::Descriptor = $crate::tftpkit::border::descriptor::<$type>(
            concat!($name, "\0").as_ptr() as *const _,
            concat!($version, "\0").as_ptr() as *const _,
            concat!($summary, "\0").as_ptr() as *const _,
            concat!($schema, "\0").as_ptr() as *const _,
            $execution,
        );
        #[no_mangle]
        pub extern "C" fn tftpkit_plugin_v1() -> *const $crate::tftpkit::raw::Descriptor {
            &DESCRIPTOR
        }
    };
}
pub(crate) use export_plugin;
