// A spell in C against a whole C library, built by zig: the library speaks WASI's first version, and wit-component's adapter makes the second of it.
// The hooks are those of wit/since-v0.1.0/spell.wit as the canonical ABI lowers them.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define HOOK(name) EXPORT("ugc:spell/hooks@0.1.0#" name)

EXPORT("cabi_realloc") void *reallocate(void *old, size_t old_bytes, size_t align, size_t bytes) {
    (void)old_bytes, (void)align;
    void *fresh = realloc(old, bytes);
    if (fresh == NULL) abort();
    return fresh;
}

HOOK("init") void init(void) {}

HOOK("on-cast")
void on_cast(uint64_t tick, uint64_t caster, uint64_t target, float origin_x, float origin_y, float origin_z, float aim_x, float aim_y, float aim_z,
             float target_x, float target_y, float target_z, uint64_t seed, char *params, size_t params_bytes) {
    (void)target, (void)origin_x, (void)origin_y, (void)origin_z, (void)aim_x, (void)aim_y, (void)aim_z;
    (void)target_x, (void)target_y, (void)target_z, (void)seed;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("cast by %llu in tick %llu, with %.*s\n", (unsigned long long)caster, (unsigned long long)tick, (int)params_bytes, params);
    printf("the clock says %lld.%09ld s", (long long)now.tv_sec, now.tv_nsec);
    fflush(stdout);
    free(params);
}

HOOK("on-tick") void on_tick(float dt) {
    (void)dt;
    sleep(3600);
}

HOOK("on-event")
void on_event(int32_t kind, uint64_t one, uint64_t two, uint64_t three, int32_t four, int32_t five, float six, float seven, float eight) {
    (void)kind, (void)one, (void)two, (void)three, (void)four, (void)five, (void)six, (void)seven, (void)eight;
}

HOOK("on-cancel") void on_cancel(int32_t reason) { exit(reason); }

static struct { void *bytes; size_t length; } saved;
HOOK("save") void *save(void) { return &saved; }

static struct { uint32_t is_error; void *text; size_t length; } restored;
HOOK("restore") void *restore(uint32_t from_version, void *bytes, size_t length) {
    (void)from_version, (void)length;
    free(bytes);
    return &restored;
}

// The envelope: a sphere of 60 m, timed 6 s, every tick, all capabilities, 64 entities, 8 players, 8 chunks.
__asm__(".section \".custom_section.ugc:envelope\",\"\",@\n"
        ".byte 1,0,1,1, 0xff,7,0,0, 0,0,0x70,0x42, 0,0,0xc0,0x40, 0,0,0x70,0x42, 0,0,0,0, 0x40,0,0,0, 8,0,8,0, 0,0,0,0, 0,0,0,0, 0,0,0xc0,0x40\n");
