#include "symbolizer/child.h"

#include "base/cleanup.h"
#include "base/map.h"
#include "dwarf/bytes.h"
#include "dwarf/module.h"
#include "hook/slot_scan.h"
#include "symbolizer/sandbox.h"
#include "symbolizer/wire.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Everything the child has; it ends with the process. */
struct child {
    int socket;
    struct buf request, answer;
    struct map modules; /* handle → struct module * */
    uint32_t opening;   /* the module that files are asked for */
};

static struct module *find_module(const struct child *child, uint32_t handle)
{
    uint64_t value;
    return map_get(&child->modules, handle, &value) == 0 ? (struct module *)(uintptr_t)value : NULL;
}

/* Asks the owner for a file. The request under way is not touched: what is needed of it has been read. */
static int ask_for_file(void *userdata, enum module_file_kind kind, const char *name)
{
    struct child *child = userdata;
    OWNED_BUF struct buf message = BUF_INIT;
    uint32_t number = kind;
    OWNED_FD int fd = -1;
    if (strlen(name) > WIRE_NAME_MAX)
        return -ENAMETOOLONG;
    int r = wire_begin(&message, WIRE_NEED_FILE, child->opening);
    if (r == 0)
        r = buf_append(&message, &number, sizeof(number));
    if (r == 0)
        r = buf_append_str(&message, name);
    if (r == 0)
        r = wire_send(child->socket, &message, -1);
    if (r == 0)
        r = wire_receive(child->socket, &message, &fd);
    if (r < 0)
        return r;
    struct reader reader = {(const uint8_t *)message.data, (const uint8_t *)message.data + message.len,
                            false};
    uint32_t type = reader_u32(&reader);
    reader_u32(&reader);
    int32_t error = (int32_t)reader_u32(&reader);
    if (reader.bad || type != WIRE_FILE)
        return -EBADMSG;
    if (error < 0)
        return error;
    return fd >= 0 ? take_fd(&fd) : -EBADMSG;
}

static int put_info(struct buf *answer, const struct module_info *info)
{
    struct wire_info wire = {
        .text_address = info->text_address,
        .text_offset = info->text_offset,
        .build_id_len = (uint8_t)info->build_id_len,
        .debug = (uint8_t)info->debug,
        .rust = info->rust,
        .lacks_split = info->lacks_split,
    };
    size_t count = info->allocator_symbol_count;
    wire.symbol_count = count < WIRE_SYMBOLS_MAX ? (uint32_t)count : WIRE_SYMBOLS_MAX;
    memcpy(wire.build_id, info->build_id, info->build_id_len);
    int r = buf_append(answer, &wire, sizeof(wire));
    for (uint32_t i = 0; r == 0 && i < wire.symbol_count; i++) {
        const struct module_symbol *symbol = &info->allocator_symbols[i];
        uint16_t len = (uint16_t)strnlen(symbol->name, WIRE_SYMBOL_MAX);
        if ((r = buf_append(answer, &symbol->address, 8)) == 0 &&
            (r = buf_append(answer, &symbol->file_offset, 8)) == 0 && (r = buf_append(answer, &len, 2)) == 0)
            r = buf_append(answer, symbol->name, len);
    }
    return r;
}

/* Takes `fd`: when the answer goes out, the file is closed. */
static int open_module(struct child *child, uint32_t handle, int fd)
{
    struct module *module = NULL;
    child->opening = handle;
    int32_t error = fd < 0 ? -EBADF : module_open(fd, ask_for_file, child, &module);
    cleanup_fd(&fd);
    if (error == 0)
        error = map_put(&child->modules, handle, (uintptr_t)module);
    if (error < 0)
        module_free(take_ptr(module));
    int r = wire_begin(&child->answer, WIRE_OPENED, handle);
    if (r == 0)
        r = buf_append(&child->answer, &error, sizeof(error));
    if (r == 0 && error == 0)
        r = put_info(&child->answer, module_info(module));
    return r < 0 ? r : wire_send(child->socket, &child->answer, -1);
}

static void close_module(struct child *child, uint32_t handle)
{
    module_free(find_module(child, handle));
    map_remove(&child->modules, handle);
}

static int put_frame(struct buf *answer, const struct source_frame *frame)
{
    int r = buf_append(answer, &frame->line, sizeof(frame->line));
    if (r == 0)
        r = buf_append(answer, frame->function, strlen(frame->function) + 1);
    if (r == 0)
        r = buf_append(answer, frame->file, strlen(frame->file) + 1);
    const char *md5 = frame->file_md5 ? frame->file_md5 : "";
    return r < 0 ? r : buf_append(answer, md5, strlen(md5) + 1);
}

static int put_frames(struct buf *answer, uint64_t address, const struct source_frame *frames, size_t count)
{
    struct wire_frames head = {.address = address};
    size_t start = answer->len;
    int r = buf_append(answer, &head, sizeof(head));
    while (r == 0 && head.count < count && head.count < WIRE_FRAMES_MAX) {
        size_t whole = answer->len;
        r = put_frame(answer, &frames[head.count]);
        if (answer->len - start > WIRE_FRAMES_BYTES) {
            answer->len = whole;
            break;
        }
        head.count++;
    }
    head.left_out = (uint32_t)(count - head.count);
    if (r == 0)
        memcpy(answer->data + start, &head, sizeof(head));
    return r;
}

static int resolve_address(struct child *child, struct module *module, uint64_t address)
{
    const struct source_frame *frames = NULL;
    size_t count = 0;
    int r = module ? module_resolve(module, address, &frames, &count) : 0;
    return r < 0 ? r : put_frames(&child->answer, address, frames, count);
}

static int resolve(struct child *child, uint32_t handle, struct reader addresses)
{
    const size_t full =
        WIRE_MESSAGE_MAX - WIRE_FRAMES_BYTES; /* no room for another answer of the largest size */
    struct module *module = find_module(child, handle);
    child->opening = handle;
    int r = wire_begin(&child->answer, WIRE_RESOLVED, handle);
    while (r == 0 && reader_left(&addresses) >= 8) {
        r = resolve_address(child, module, reader_u64(&addresses));
        if (r < 0 || (child->answer.len <= full && reader_left(&addresses)))
            continue;
        r = wire_send(child->socket, &child->answer, -1);
        if (r == 0)
            r = wire_begin(&child->answer, WIRE_RESOLVED, handle);
    }
    return r;
}

/* A memfd that nobody can change any more: the owner reads it in place. */
static int seal_table(const struct unwind_table *table, int *ret_fd)
{
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    OWNED_FD int fd = memfd_create("rsprof-unwind-table", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    const char *data = (const char *)table->elements;
    for (size_t left = table->element_count * sizeof(*table->elements); left;) {
        ssize_t written = write(fd, data, left);
        if (written < 0)
            return -errno;
        data += written;
        left -= (size_t)written;
    }
    if (fcntl(fd, F_ADD_SEALS, seals) < 0)
        return -errno;
    *ret_fd = take_fd(&fd);
    return 0;
}

static int compile_table(struct child *child, uint32_t handle)
{
    struct unwind_table table = {0};
    OWNED_FD int fd = -1;
    struct module *module = find_module(child, handle);
    child->opening = handle;
    int32_t error = module ? module_unwind_table(module, &table) : -ENOENT;
    if (error == 0 && table.element_count > WIRE_ELEMENTS_MAX)
        error = -EFBIG;
    if (error == 0)
        error = seal_table(&table, &fd);
    struct wire_table wire = {table.start, table.element_count, table.page_count};
    unwind_table_release(&table);
    int r = wire_begin(&child->answer, WIRE_TABLE, handle);
    if (r == 0)
        r = buf_append(&child->answer, &error, sizeof(error));
    if (r == 0)
        r = buf_append(&child->answer, &wire, sizeof(wire));
    return r < 0 ? r : wire_send(child->socket, &child->answer, fd);
}

static size_t at_most(size_t count, size_t most)
{
    return count < most ? count : most;
}

static int scan_slots(struct child *child, uint32_t handle, int fd)
{
    struct hook_scan scan = {0};
    int32_t error = fd < 0 ? -EBADF : hook_scan_file(fd, &scan);
    uint32_t counts[2] = {(uint32_t)at_most(scan.candidate_count, WIRE_SLOTS_MAX),
                          (uint32_t)at_most(scan.definition_count, WIRE_FUNCTIONS_MAX)};
    int r = wire_begin(&child->answer, WIRE_SCANNED, handle);
    if (r == 0)
        r = buf_append(&child->answer, &error, sizeof(error));
    if (r == 0)
        r = buf_append(&child->answer, counts, sizeof(counts));
    if (r == 0)
        r = buf_append(&child->answer, scan.candidates, counts[0] * sizeof(*scan.candidates));
    if (r == 0)
        r = buf_append(&child->answer, scan.definitions, counts[1] * sizeof(*scan.definitions));
    hook_scan_release(&scan);
    return r < 0 ? r : wire_send(child->socket, &child->answer, -1);
}

static int handle_request(struct child *child, int *fd)
{
    struct bytes bytes = {(const uint8_t *)child->request.data, child->request.len};
    struct reader reader = reader_of(bytes);
    uint32_t type = reader_u32(&reader), handle = reader_u32(&reader);
    switch (type) {
    case WIRE_OPEN:
        return open_module(child, handle, take_fd(fd));
    case WIRE_CLOSE:
        close_module(child, handle);
        return 0;
    case WIRE_RESOLVE:
        return resolve(child, handle, reader);
    case WIRE_UNWIND:
        return compile_table(child, handle);
    case WIRE_SCAN:
        return scan_slots(child, handle, *fd);
    default:
        return -EBADMSG;
    }
}

static int serve(int socket)
{
    struct child child = {.socket = socket};
    int r = 0;
    while (r == 0) {
        OWNED_FD int fd = -1;
        r = wire_receive(socket, &child.request, &fd);
        if (r == 0)
            r = handle_request(&child, &fd);
    }
    return r;
}

int child_start(pid_t *ret_pid, int *ret_socket)
{
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return -errno;
    OWNED_FD int ours = sockets[0];
    OWNED_FD int theirs = sockets[1];
    if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        /* The parent's exit handlers and buffers are not ours: never return from here. */
        int r = sandbox_enter(theirs, parent);
        if (r == 0)
            r = serve(theirs);
        _exit(r == -ECONNRESET ? 0 : 1);
    }
    *ret_pid = pid;
    *ret_socket = take_fd(&ours);
    return 0;
}

void child_stop(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
