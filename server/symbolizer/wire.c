#include "symbolizer/wire.h"

#include "base/cleanup.h"

#include <string.h>
#include <sys/socket.h>

int wire_begin(struct buf *message, enum wire_type type, uint32_t module)
{
    struct wire_header header = {type, module};
    buf_clear(message);
    return buf_append(message, &header, sizeof(header));
}

int wire_send(int socket, const struct buf *message, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {{0}};
    struct iovec iov = {message->data, message->len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd >= 0) {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
        struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &msg, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

/* Takes the descriptors out of a message; all but the first are closed. */
static int take_descriptors(struct msghdr *msg, int *ret_fd)
{
    int count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(msg); header; header = CMSG_NXTHDR(msg, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t fds = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < fds; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            if (count++)
                close(fd);
            else
                *ret_fd = fd;
        }
    }
    return count;
}

int wire_receive(int socket, struct buf *message, int *ret_fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    OWNED_FD int fd = -1;
    buf_clear(message);
    int r = buf_reserve(message, WIRE_MESSAGE_MAX);
    if (r < 0)
        return r;
    struct iovec iov = {message->data, WIRE_MESSAGE_MAX};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t len;
    do
        len = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
    while (len < 0 && errno == EINTR);
    if (len < 0)
        return -errno;
    int count = take_descriptors(&msg, &fd);
    if (!len)
        return -ECONNRESET;
    if (count > 1 || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || (size_t)len < sizeof(struct wire_header))
        return -EBADMSG;
    message->len = (size_t)len;
    message->data[len] = '\0';
    *ret_fd = take_fd(&fd);
    return 0;
}
