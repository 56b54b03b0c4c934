/// uimage: boot scripts for U-Boot. boot.scr is made from the text boot.cmd in the directory `scripts`: the image that mkimage
/// -T script makes and `source` runs, with its two checksums, so that a script can be edited as text.
///
/// scenario/... is what every sample answers in the same way; ../README.md has the list.
///
/// D without its runtime (-fno-druntime): the garbage collector would stop the server's threads by SIGUSR1, which is the
/// server's own, and would have to be told of every thread that calls.
module uimage;

import core.stdc.stdio : fclose, FILE, fopen, fread, fseek, ftell, SEEK_END, SEEK_SET, snprintf;
import core.stdc.stdlib : calloc, free, malloc;
import core.stdc.string : memcpy;
import tftpkit;

nothrow @nogc:

struct Instance
{
    const(Host)* host;
    Str greeting; // belongs to the host
    Str scripts;
}

struct Transfer
{
    ulong at, size;
    ubyte* content;
}

// The table is made by the compiler.
immutable uint[256] crcTable = () {
    uint[256] table;
    foreach (uint i, ref entry; table)
    {
        entry = i;
        foreach (_; 0 .. 8)
            entry = entry & 1 ? entry >> 1 ^ 0xedb88320 : entry >> 1;
    }
    return table;
}();

uint crc32(const(ubyte)[] bytes)
{
    uint crc = uint.max;
    foreach (b; bytes)
        crc = crc >> 8 ^ crcTable[(crc ^ b) & 255];
    return ~crc;
}

ubyte pattern(ulong at)
{
    return cast(ubyte)(at * 7 % 251);
}

bool begins(const(char)[] text, const(char)[] prefix)
{
    return text.length >= prefix.length && text[0 .. prefix.length] == prefix;
}

/// A number behind the prefix, when that is all there is; -1 for anything else.
long numberBehind(const(char)[] prefix, const(char)[] name)
{
    if (!begins(name, prefix) || name.length == prefix.length || name.length > prefix.length + 15)
        return -1;
    long number;
    foreach (c; name[prefix.length .. $])
    {
        if (c < '0' || c > '9')
            return -1;
        number = number * 10 + (c - '0');
    }
    return number;
}

int fail(const(Instance)* self, int status, const(char)[] why)
{
    self.host.explain(self.host, why.ptr, why.length);
    return status;
}

/// Memory for so many bytes that belongs to the transfer.
ubyte[] buffered(Source* source, size_t size)
{
    auto transfer = cast(Transfer*) calloc(1, Transfer.sizeof);
    auto content = cast(ubyte*) malloc(size + 1);
    if (transfer is null || content is null)
    {
        free(transfer);
        free(content);
        return null;
    }
    transfer.content = content;
    source.kind = buffer;
    source.data = content;
    source.size = size;
    source.transfer = transfer;
    return content[0 .. size];
}

int text(Source* source, const(char)[] first, const(char)[] second)
{
    auto into = buffered(source, first.length + second.length);
    if (into is null)
        return noSpace;
    memcpy(into.ptr, first.ptr, first.length);
    memcpy(into.ptr + first.length, second.ptr, second.length);
    return ok;
}

int patternInMemory(Source* source, long size)
{
    auto into = buffered(source, cast(size_t) size);
    if (into is null)
        return noSpace;
    foreach (at, ref b; into)
        b = pattern(at);
    return ok;
}

int patternStream(Source* source, long size)
{
    auto transfer = cast(Transfer*) calloc(1, Transfer.sizeof);
    if (transfer is null)
        return noSpace;
    transfer.size = size;
    source.kind = stream;
    source.size = size;
    source.transfer = transfer;
    return ok;
}

int peer(const(Request)* request, Source* source)
{
    if (request.peer.family != 4)
        return declined;
    char[20] line;
    const b = request.peer.bytes;
    const length = snprintf(line.ptr, line.length, "%d.%d.%d.%d\n", b[0], b[1], b[2], b[3]);
    return text(source, line[0 .. length], "");
}

int scenario(const(Instance)* self, const(Request)* request, const(char)[] name, Source* source)
{
    const bytes = numberBehind("bytes/", name);
    if (bytes >= 0 && bytes <= 1 << 20)
        return patternInMemory(source, bytes);
    const streamed = numberBehind("stream/", name);
    if (streamed >= 0)
        return patternStream(source, streamed);
    switch (name)
    {
    case "greeting":
        return text(source, self.greeting.text, "\n");
    case "peer":
        return peer(request, source);
    case "redirect":
        source.kind = redirect;
        source.redirect = Str("elsewhere", 9);
        return ok;
    case "refuse":
        return fail(self, access, "not for you");
    case "fail":
        return fail(self, internal, "D without its runtime has no exceptions");
    default:
        return declined;
    }
}

void put(ubyte[] image, size_t at, uint value)
{
    foreach (i; 0 .. 4)
        image[at + i] = cast(ubyte)(value >> 24 - 8 * i);
}

/// The header of a legacy image, over a table with the length of the one script.
void describe(ubyte[] image, size_t scriptSize)
{
    enum headerSize = 64;
    image[0 .. headerSize + 8] = 0;
    put(image, headerSize, cast(uint) scriptSize);
    put(image, 0, 0x27051956);
    put(image, 12, cast(uint)(scriptSize + 8));
    put(image, 24, crc32(image[headerSize .. $]));
    put(image, 28, 0x05020600); // Linux, ARM, script, not compressed
    put(image, 4, crc32(image[0 .. headerSize]));
}

int imageOf(const(Instance)* self, const(char)[] name, Source* source)
{
    char[4096] path;
    const stem = name[0 .. $ - ".scr".length];
    const length = snprintf(path.ptr, path.length, "%.*s/%.*s.cmd", cast(int) self.scripts.len, self.scripts.ptr,
            cast(int) stem.length, stem.ptr);
    FILE* file = length < path.length ? fopen(path.ptr, "re") : null;
    if (file is null)
        return declined;
    scope (exit)
        fclose(file);
    fseek(file, 0, SEEK_END);
    const size = ftell(file);
    if (size < 0 || size > 1 << 20 || fseek(file, 0, SEEK_SET) != 0)
        return fail(self, io, "the script is no file of at most 1 MiB");
    auto image = buffered(source, 72 + size);
    if (image is null)
        return noSpace;
    if (fread(image.ptr + 72, 1, size, file) != size)
    {
        close(null, source.transfer, null);
        return fail(self, io, "the script cannot be read");
    }
    describe(image, size);
    return ok;
}

extern (C):

int create(const Host* host, void** instance)
{
    auto self = cast(Instance*) calloc(1, Instance.sizeof);
    if (self is null)
        return noSpace;
    self.host = host;
    host.setting(host, "/greeting", &self.greeting);
    host.setting(host, "/scripts", &self.scripts);
    if (self.greeting.len == 0)
    {
        const status = fail(self, option, "/greeting is empty: give a line");
        free(self);
        return status;
    }
    *instance = self;
    return ok;
}

void destroy(void* instance)
{
    free(instance);
}

int openRead(void* instance, const Request* request, Source* source)
{
    const self = cast(Instance*) instance;
    const path = request.path.text;
    if (begins(path, "scenario/"))
        return scenario(self, request, path["scenario/".length .. $], source);
    if (self.scripts.len == 0 || path.length < 5 || path[$ - 4 .. $] != ".scr")
        return declined;
    return imageOf(self, path, source);
}

long read(void*, void* mark, void* into, size_t capacity)
{
    auto transfer = cast(Transfer*) mark;
    const left = transfer.size - transfer.at;
    const count = left < capacity ? cast(size_t) left : capacity;
    foreach (ref b; (cast(ubyte*) into)[0 .. count])
        b = pattern(transfer.at++);
    return count;
}

void close(void*, void* mark, const void*)
{
    auto transfer = cast(Transfer*) mark;
    if (transfer !is null)
        free(transfer.content);
    free(transfer);
}

immutable Plugin plugin = {
    execution: parallel, name: "sample-d", versionText: "1.0", summary: "Boot scripts for U-Boot, made from text",
    license: "MIT", settingsSchema: `{"type": "object", "additionalProperties": false, "properties": {
        "greeting": {"type": "string", "default": "Hello", "description": "what scenario/greeting says"},
        "scripts": {"type": "string", "format": "path", "description": "the directory with NAME.cmd"}}}`,
    create: &create, destroy: &destroy, openRead: &openRead, read: &read, close: &close
};

export immutable(Plugin)* tftpkit_plugin_v1()
{
    return &plugin;
}
