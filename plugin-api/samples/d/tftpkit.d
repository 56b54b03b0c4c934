/// <tftpkit/plugin.h> in D: what the sample needs of it. Structs as they travel; numbers are frozen.
module tftpkit;

extern (C) nothrow @nogc:

enum : int
{
    ok = 0,
    declined = 2,
    internal = -1,
    access = -20,
    noSpace = -30,
    option = -80,
    io = -100
}

enum : uint
{
    buffer = 10,
    stream = 30,
    redirect = 40
}

enum uint parallel = 100;

struct Str
{
nothrow @nogc:
    const(char)* ptr;
    size_t len;
    inout(char)[] text() inout
    {
        return cast(inout(char)[]) ptr[0 .. len];
    }
}

struct Address
{
    ushort family;
    ushort port;
    uint scopeId;
    ubyte[16] bytes;
}

struct Request
{
    uint structSize;
    uint op;
    ulong id;
    ulong announcedSize;
    Str path;
    Str wirePath;
    uint mode;
    uint blksize;
    uint windowsize;
    uint answerWithinMs;
    Address peer;
    Address local;
    uint redirects;
    uint optionCount;
    const(void)* options;
}

struct Source
{
    uint structSize;
    uint kind;
    ulong size;
    ulong fdOffset;
    void* transfer;
    const(void)* data;
    Str redirect;
    int fd;
    uint flags;
}

struct Host
{
nothrow @nogc:
    uint structSize;
    uint abiVersion;
    void* impl;
    const(char)* product;
    const(char)* productVersion;
    const(char)* instanceName;
    void function(const Host*, uint, const(char)*, size_t) log;
    int function(const Host*, uint) logEnabled;
    void function(const Host*, const(char)*, size_t) explain;
    int function(const Host*, const(char)*, Str*) setting;
    int function(const Host*, const(char)*, long*) settingInt;
    size_t function(const Host*, const(char)*) settingCount;
    int function(const Host*, ulong) cancelled;
    int function(const Host*, ulong, int, const Source*, const void*, const(char)*, size_t) complete;
    int function(const Host*, ulong, ubyte*) peerLinkAddress;
    const(void)* function(const Host*, const(char)*) extension;
}

struct Plugin
{
nothrow @nogc:
    uint structSize = Plugin.sizeof;
    uint abiVersion = 1 << 16;
    uint abiMinorNeeded;
    uint execution;
    uint flags;
    uint reserved;
    const(char)* name;
    const(char)* versionText;
    const(char)* summary;
    const(char)* license;
    const(char)* homepage;
    const(char)* settingsSchema;
    int function(const Host*, void**) create;
    void function(void*) destroy;
    int function(void*) start;
    void function(void*) stop;
    int function(void*, const Request*, Source*) openRead;
    long function(void*, void*, void*, size_t) read;
    void* openWrite;
    void* write;
    void* commit;
    void function(void*, void*, const void*) close;
    void* cancel;
    void* extension;
}

static assert(Source.sizeof == 64 || size_t.sizeof != 8);
static assert(Host.sizeof == 120 || size_t.sizeof != 8);
static assert(Plugin.sizeof == 168 || size_t.sizeof != 8);
