//! The plugin ABI 1.0 of tftpkit for Rust: the structs of <tftpkit/plugin.h> and a safe layer over them. One file, no
//! crates, Rust 1.63 or later: put it beside your own and write `mod tftpkit;`. A plugin implements the trait `Plugin`.
//! Panics stop here and fail the request; nothing unwinds into the server.
#![allow(dead_code)]

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::raw::{c_char, c_void};
use std::os::unix::io::IntoRawFd;
use std::panic::{catch_unwind, AssertUnwindSafe};

pub type Status = i32;
pub const OK: Status = 0;
pub const PENDING: Status = 1;
pub const DECLINED: Status = 2;
pub const E_INTERNAL: Status = -1;
pub const E_NOT_FOUND: Status = -10;
pub const E_ACCESS: Status = -20;
pub const E_NO_SPACE: Status = -30;
pub const E_UNSUPPORTED: Status = -40;
pub const E_OPTION: Status = -80;
pub const E_IO: Status = -100;
pub const E_UNAVAILABLE: Status = -110;
pub const E_TIMEOUT: Status = -120;
pub const E_CANCELLED: Status = -130;

pub const EXEC_SERIAL: u32 = 0;
pub const EXEC_PARALLEL: u32 = 100;
pub const EXEC_INLINE: u32 = 200;

pub const LOG_DEBUG: u32 = 10;
pub const LOG_INFO: u32 = 20;
pub const LOG_WARNING: u32 = 30;
pub const LOG_ERROR: u32 = 40;

const SOURCE_BUFFER: u32 = 10;
const SOURCE_FD: u32 = 20;
const SOURCE_STREAM: u32 = 30;
const SOURCE_REDIRECT: u32 = 40;
const SIZE_UNKNOWN: u64 = u64::MAX;
const MODE_NETASCII: u32 = 2;
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
    pub struct Outcome {
        pub struct_size: u32,
        pub end: u32,
        pub bytes: u64,
        pub elapsed_us: u64,
        pub resends: u64,
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
        pub close: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *const Outcome)>,
        pub cancel: *const c_void,
        pub extension: *const c_void,
    }
    // Constant and never written: the pointers in it may be shared.
    unsafe impl Sync for Descriptor {}

    // The layout of ABI 1.0; another one does not compile.
    const POINTER: usize = std::mem::size_of::<usize>();
    const _: [(); if POINTER == 8 { 64 } else { 48 }] = [(); std::mem::size_of::<Source>()];
    const _: [(); 32] = [(); std::mem::size_of::<Outcome>()];
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

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::new(E_IO, error.to_string())
    }
}

unsafe fn bytes_of<'a>(text: &'a raw::Str) -> &'a [u8] {
    if text.ptr.is_null() {
        return &[];
    }
    std::slice::from_raw_parts(text.ptr as *const u8, text.len)
}

unsafe fn text_of<'a>(text: &'a raw::Str) -> &'a str {
    std::str::from_utf8(bytes_of(text)).unwrap_or("")
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
    /// Whole numbers, sizes in bytes, durations in milliseconds, booleans as 1 and 0.
    pub fn setting_int(&self, pointer: &str) -> Option<i64> {
        let pointer = std::ffi::CString::new(pointer).ok()?;
        let mut value = 0;
        let found = unsafe { ((*self.0).setting_int)(self.0, pointer.as_ptr(), &mut value) };
        if found == 0 { None } else { Some(value) }
    }
    /// Elements of the array, or members of the object, at this pointer.
    pub fn setting_count(&self, pointer: &str) -> usize {
        match std::ffi::CString::new(pointer) {
            Ok(pointer) => unsafe { ((*self.0).setting_count)(self.0, pointer.as_ptr()) },
            Err(_) => 0,
        }
    }
    /// LOG_INFO and so on; one line.
    pub fn log(&self, level: u32, text: &str) {
        unsafe { ((*self.0).log)(self.0, level, text.as_ptr() as *const c_char, text.len()) }
    }
    /// The peer's MAC address, when it is on a directly attached link.
    pub fn link_address(&self, request: u64) -> Option<[u8; 6]> {
        let mut mac = [0u8; 6];
        let found = unsafe { ((*self.0).peer_link_address)(self.0, request, mac.as_mut_ptr()) };
        if found == OK { Some(mac) } else { None }
    }
    /// The right to answer this request later; `open` returns `Answer::Later` then.
    pub fn defer(&self, request: &Request) -> Pending {
        Pending { host: *self, id: request.id() }
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
    /// The name as it came: any bytes.
    pub fn wire_path(&self) -> &'a [u8] {
        unsafe { bytes_of(&self.0.wire_path) }
    }
    pub fn id(&self) -> u64 {
        self.0.id
    }
    /// The client; None for a request without a network.
    pub fn peer(&self) -> Option<SocketAddr> {
        address_of(&self.0.peer)
    }
    /// The address that it asked.
    pub fn local(&self) -> Option<SocketAddr> {
        address_of(&self.0.local)
    }
    pub fn is_netascii(&self) -> bool {
        self.0.mode == MODE_NETASCII
    }
    pub fn blksize(&self) -> u32 {
        self.0.blksize
    }
    pub fn windowsize(&self) -> u32 {
        self.0.windowsize
    }
    /// Every option that was sent: the name in lower case, the value as it is.
    pub fn options(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let all: &'a [raw::Pair] = if self.0.option_count == 0 {
            &[]
        } else {
            unsafe { std::slice::from_raw_parts(self.0.options, self.0.option_count as usize) }
        };
        all.iter().map(|one| unsafe { (text_of(&one.name), bytes_of(&one.value)) })
    }
    /// The value of an option that is text; the name in lower case.
    pub fn option(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.options().find(|(key, _)| *key == name)?;
        std::str::from_utf8(value).ok()
    }
    pub fn raw(&self) -> &'a raw::Request {
        self.0
    }
}

fn address_of(address: &raw::Addr) -> Option<SocketAddr> {
    let b = address.bytes;
    match address.family {
        4 => Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(b[0], b[1], b[2], b[3])), address.port)),
        6 => Some(SocketAddr::new(IpAddr::V6(Ipv6Addr::from(b)), address.port)),
        _ => None,
    }
}

/// The right to answer one request later, once, from any thread, also before `open` has returned. One that is dropped
/// without an answer fails its request.
pub struct Pending {
    host: Host,
    id: u64,
}

impl Pending {
    /// Has the client gone, or its time run out?
    pub fn cancelled(&self) -> bool {
        unsafe { ((*self.host.0).cancelled)(self.host.0, self.id) != 0 }
    }
    /// False when nobody waits any more.
    pub fn complete(self, answer: Result<Answer, Failure>) -> bool {
        border::complete(self, answer)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        border::complete_with(self.host, self.id, Err(Failure::internal("the plugin dropped the request")));
    }
}

/// A source that is read piece by piece: how many bytes were put into the buffer, 0 at the end.
pub trait Stream: Send {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Failure>;
}

pub enum Answer {
    Bytes(Vec<u8>),
    /// Bytes that live as long as the program; nothing is copied.
    Static(&'static [u8]),
    /// An open file from `offset` on, so many bytes (None: to its end). What is no regular file is read in order.
    File { file: File, offset: u64, size: Option<u64> },
    /// With its size in bytes, when that is known: exactly so many must come.
    Stream(Box<dyn Stream>, Option<u64>),
    /// Another name, for the instances that follow in the route.
    Redirect(String),
    /// "Not mine": the next instance is asked.
    Declined,
    /// A `Pending` brings the answer, or has done so.
    Later,
}

/// How a transfer ended.
pub struct Outcome<'a>(&'a raw::Outcome);

impl<'a> Outcome<'a> {
    /// Did all bytes arrive?
    pub fn delivered(&self) -> bool {
        self.0.end == 0
    }
    pub fn bytes(&self) -> u64 {
        self.0.bytes
    }
    pub fn raw(&self) -> &'a raw::Outcome {
        self.0
    }
}

/// Dropped when the server has no more use for the instance. Calls come from several threads at once when the plugin is
/// exported as EXEC_PARALLEL or EXEC_INLINE, hence Sync.
pub trait Plugin: Sized + Send + Sync {
    /// Settings are read and checked here; what goes wrong is told to the operator.
    fn create(host: Host) -> Result<Self, Failure>;
    /// Which bytes answer this request?
    fn open(&self, request: &Request) -> Result<Answer, Failure>;
    /// Threads and connections begin here,
    fn start(&self) -> Result<(), Failure> {
        Ok(())
    }
    /// and are gone when this returns.
    fn stop(&self) {}
    /// A transfer has ended.
    fn closed(&self, _request: u64, _outcome: &Outcome) {}
}

/// Behind the macro below: the C functions of one plugin type.
pub mod border {
    use super::*;

    struct Instance<P> {
        plugin: P,
        host: Host,
    }

    enum Content {
        None,
        Bytes(Vec<u8>),
        Stream(Box<dyn Stream>),
    }

    // What belongs to one transfer until close().
    struct Transfer {
        request: u64,
        content: Content,
    }

    // Runs `body`; a failure or a panic becomes a status and its explanation.
    fn stopped_here<T>(host: Host, body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Status> {
        let failure = match catch_unwind(AssertUnwindSafe(body)) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(failure)) => failure,
            Err(panic) => Failure::internal(words_of(panic)),
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
        if let Answer::Declined | Answer::Later = answer {
            return if let Answer::Later = answer { PENDING } else { DECLINED };
        }
        put(answer, (*request).id, &mut *source);
        OK
    }

    // Moves an answer with content into a source; take_back() is its opposite.
    fn put(answer: Answer, request: u64, source: &mut raw::Source) {
        let content = match answer {
            Answer::Declined | Answer::Later => return,
            Answer::Static(bytes) => {
                source.kind = SOURCE_BUFFER;
                source.size = bytes.len() as u64;
                source.data = bytes.as_ptr() as *const c_void;
                Content::None
            }
            // Moving a Vec does not move its bytes.
            Answer::Bytes(bytes) => {
                source.kind = SOURCE_BUFFER;
                source.size = bytes.len() as u64;
                source.data = bytes.as_ptr() as *const c_void;
                Content::Bytes(bytes)
            }
            Answer::Redirect(path) => {
                source.kind = SOURCE_REDIRECT;
                source.redirect = raw::Str { ptr: path.as_ptr() as *const c_char, len: path.len() };
                Content::Bytes(path.into_bytes())
            }
            Answer::File { file, offset, size } => {
                source.kind = SOURCE_FD;
                source.size = size.unwrap_or(SIZE_UNKNOWN);
                source.fd_offset = offset;
                source.fd = file.into_raw_fd();
                Content::None
            }
            Answer::Stream(stream, size) => {
                source.kind = SOURCE_STREAM;
                source.size = size.unwrap_or(SIZE_UNKNOWN);
                Content::Stream(stream)
            }
        };
        source.transfer = Box::into_raw(Box::new(Transfer { request, content })) as *mut c_void;
    }

    // What the server has not taken is freed.
    unsafe fn take_back(source: &raw::Source) {
        if source.kind == SOURCE_FD {
            drop(<File as std::os::unix::io::FromRawFd>::from_raw_fd(source.fd));
        }
        drop(Box::from_raw(source.transfer as *mut Transfer));
    }

    pub fn complete(pending: Pending, answer: Result<Answer, Failure>) -> bool {
        let (host, id) = (pending.host, pending.id);
        std::mem::forget(pending);
        complete_with(host, id, answer)
    }

    pub fn complete_with(host: Host, id: u64, answer: Result<Answer, Failure>) -> bool {
        let (status, why, answer) = match answer {
            Err(failure) => (failure.status, failure.why, None),
            Ok(Answer::Declined) => (DECLINED, String::new(), None),
            Ok(Answer::Later) => (E_INTERNAL, "a late answer cannot be Later".to_owned(), None),
            Ok(answer) => (OK, String::new(), Some(answer)),
        };
        let mut source = raw::Source {
            struct_size: std::mem::size_of::<raw::Source>() as u32,
            kind: SOURCE_STREAM,
            size: SIZE_UNKNOWN,
            fd_offset: 0,
            transfer: std::ptr::null_mut(),
            data: std::ptr::null(),
            redirect: raw::Str { ptr: std::ptr::null(), len: 0 },
            fd: -1,
            flags: 0,
        };
        let offered = answer.is_some();
        if let Some(answer) = answer {
            put(answer, id, &mut source);
        }
        let pointer = if offered { &source as *const raw::Source } else { std::ptr::null() };
        unsafe {
            let text = why.as_ptr() as *const c_char;
            let taken = ((*host.0).complete)(host.0, id, status, pointer, std::ptr::null(), text, why.len()) == OK;
            if offered && !taken {
                take_back(&source);
            }
            taken
        }
    }

    pub unsafe extern "C" fn read<P: Plugin>(
        instance: *mut c_void, transfer: *mut c_void, buffer: *mut c_void, capacity: usize,
    ) -> i64 {
        let instance = &*(instance as *const Instance<P>);
        let into = std::slice::from_raw_parts_mut(buffer as *mut u8, capacity);
        let got = stopped_here(instance.host, || match &mut (*(transfer as *mut Transfer)).content {
            Content::Stream(stream) => stream.read(into),
            _ => Ok(0),
        });
        got.map_or_else(i64::from, |count| count as i64)
    }

    pub unsafe extern "C" fn close<P: Plugin>(
        instance: *mut c_void, transfer: *mut c_void, outcome: *const raw::Outcome,
    ) {
        let instance = &*(instance as *const Instance<P>);
        let transfer = Box::from_raw(transfer as *mut Transfer);
        swallowed(instance.host, || {
            instance.plugin.closed(transfer.request, &Outcome(&*outcome));
            drop(transfer);
        });
    }

    pub unsafe extern "C" fn start<P: Plugin>(instance: *mut c_void) -> Status {
        let instance = &*(instance as *const Instance<P>);
        stopped_here(instance.host, || instance.plugin.start()).map_or_else(|status| status, |_| OK)
    }

    pub unsafe extern "C" fn stop<P: Plugin>(instance: *mut c_void) {
        let instance = &*(instance as *const Instance<P>);
        swallowed(instance.host, || instance.plugin.stop());
    }

    // For what cannot fail towards the server: the log gets to know.
    fn swallowed(host: Host, body: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
            host.log(LOG_ERROR, &words_of(panic));
        }
    }

    fn words_of(panic: Box<dyn std::any::Any + Send>) -> String {
        let why = panic.downcast_ref::<&str>().map(|text| text.to_string());
        why.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
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
            start: Some(start::<P>),
            stop: Some(stop::<P>),
            open_read: Some(open_read::<P>),
            read: Some(read::<P>),
            open_write: std::ptr::null(),
            write: std::ptr::null(),
            commit: std::ptr::null(),
            close: Some(close::<P>),
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
