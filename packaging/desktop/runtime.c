/* The first part of the AppImage: unpacks the file system behind it, once, and starts it.

   The file is this program and a squashfs. It is unpacked into the user's cache under the digest of
   its content, which packaging/bundle notes at the end of this program; later starts find it there.
   No FUSE is needed. --appimage-extract unpacks into ./squashfs-root, --appimage-offset prints
   where the squashfs begins. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <squashfuse/squashfuse.h>

#define CHUNK (1 << 20)

/* Filled in by packaging/bundle. */
static volatile const char digest[] = "ROUTESTUDIO-DIGEST:0000000000000000000000000000000000000000";

static void fail(const char *what, const char *where) {
    fprintf(stderr, "routestudio: cannot %s %s: %s\n", what, where, strerror(errno));
    exit(2);
}

/* Where this program ends: after its section headers, the last part of it. */
static off_t end_of_program(const char *self) {
    Elf64_Ehdr head;
    int file = open(self, O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, &head, sizeof head) != sizeof head)
        fail("read", self);
    close(file);
    return (off_t)(head.e_shoff + (Elf64_Off)head.e_shentsize * head.e_shnum);
}

static void unpack_file(sqfs *fs, sqfs_inode *inode, const char *path) {
    static char chunk[CHUNK];
    sqfs_off_t done = 0;
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, inode->base.mode & 0755);
    if (file < 0)
        fail("write", path);
    for (;;) {
        sqfs_off_t size = CHUNK;
        if (sqfs_read_range(fs, inode, done, &size, chunk) != SQFS_OK) {
            errno = EIO;
            fail("unpack", path);
        }
        if (size == 0)
            break;
        if (write(file, chunk, (size_t)size) != (ssize_t)size)
            fail("write", path);
        done += size;
    }
    if (close(file))
        fail("write", path);
}

static void unpack(const char *self, off_t offset, const char *folder) {
    sqfs fs;
    sqfs_traverse trv;
    sqfs_err err = SQFS_OK;
    char path[PATH_MAX];
    if (mkdir(folder, 0700) && errno != EEXIST)
        fail("make", folder);
    if (sqfs_open_image(&fs, self, (size_t)offset) != SQFS_OK)
        exit(2);
    if (sqfs_traverse_open(&trv, &fs, sqfs_inode_root(&fs)) != SQFS_OK) {
        errno = EIO;
        fail("read", self);
    }
    while (sqfs_traverse_next(&trv, &err)) {
        sqfs_inode inode;
        if (trv.dir_end || !*trv.path)
            continue;
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, trv.path) >= sizeof path) {
            errno = ENAMETOOLONG;
            fail("write", trv.path);
        }
        if (sqfs_inode_get(&fs, &inode, trv.entry.inode) != SQFS_OK) {
            errno = EIO;
            fail("read", path);
        }
        if (S_ISDIR(inode.base.mode)) {
            if (mkdir(path, 0700))
                fail("make", path);
        } else if (S_ISLNK(inode.base.mode)) {
            char target[PATH_MAX];
            size_t size = sizeof target;
            if (sqfs_readlink(&fs, &inode, target, &size) != SQFS_OK || symlink(target, path))
                fail("link", path);
        } else if (S_ISREG(inode.base.mode)) {
            unpack_file(&fs, &inode, path);
        }
    }
    sqfs_traverse_close(&trv);
    if (err != SQFS_OK) {
        errno = EIO;
        fail("unpack", self);
    }
}

static void make_parents(char *path) {
    for (char *at = path + 1; *at; at++)
        if (*at == '/') {
            *at = 0;
            if (mkdir(path, 0700) && errno != EEXIST)
                fail("make", path);
            *at = '/';
        }
}

/* The unpacked program in the user's cache. It gets its name when it is complete, so that no start
   sees half of it, and two starts at once do no harm. */
static void find_unpacked(const char *self, off_t offset, char *folder, size_t size) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char id[41], part[PATH_MAX];
    for (size_t at = 0; at < sizeof id; at++)
        id[at] = digest[sizeof "ROUTESTUDIO-DIGEST:" - 1 + at];
    if (cache && *cache == '/')
        snprintf(folder, size, "%s/routestudio/appimage-%s", cache, id);
    else if (home && *home == '/')
        snprintf(folder, size, "%s/.cache/routestudio/appimage-%s", home, id);
    else {
        fputs("routestudio: neither HOME nor XDG_CACHE_HOME is set\n", stderr);
        exit(2);
    }
    if (access(folder, X_OK) == 0)
        return;
    make_parents(folder);
    if ((size_t)snprintf(part, sizeof part, "%s.part-XXXXXX", folder) >= sizeof part || !mkdtemp(part))
        fail("make", part);
    fputs("routestudio: unpacking, once\n", stderr);
    unpack(self, offset, part);
    if (rename(part, folder) && access(folder, X_OK))
        fail("make", folder);
}

int main(int argc, char **argv) {
    char self[PATH_MAX], folder[PATH_MAX], start[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        fail("find", "itself");
    self[length] = 0;
    off_t offset = end_of_program(self);
    if (argc > 1 && !strcmp(argv[1], "--appimage-offset")) {
        printf("%lld\n", (long long)offset);
        return 0;
    }
    if (argc > 1 && !strcmp(argv[1], "--appimage-extract")) {
        unpack(self, offset, "squashfs-root");
        return 0;
    }
    find_unpacked(self, offset, folder, sizeof folder);
    if ((size_t)snprintf(start, sizeof start, "%s/AppRun", folder) >= sizeof start)
        return 2;
    setenv("APPIMAGE", self, 1);
    setenv("APPDIR", folder, 1);
    execv(start, argv);
    fail("start", start);
}
