#!/usr/bin/env bash
# check_symbols.sh [--sans-io] LIBRARY.a
# Every exported symbol begins with wzp_; with --sans-io nothing of the operating system is called:
# a core gets time, randomness and datagrams as arguments.
set -euo pipefail
sans_io=0
[ "$1" = --sans-io ] && { sans_io=1; shift; }
library=$1
failed=0

foreign=$(nm --defined-only -g "$library" 2>/dev/null |
    awk 'NF==3 && $2 ~ /[TDBRGSVW]/ && $3 !~ /^(_?_?wzp_|__asan|__ubsan|__odr_asan|__sanitizer|__tsan|__gcov|_?_?sancov|DW\.ref|_ZN|_ZS|_ZT|_ZG|_ZK|_ZdlPv|__clang)/ {print $3}' | sort -u)
if [ -n "$foreign" ]; then
    echo "$library exports symbols without the wzp_ prefix:"; echo "$foreign"
    failed=1
fi

forbidden='clock_gettime|gettimeofday|time|clock|ftime|nanosleep|usleep|sleep|rand|srand|random|srandom|rand_r|drand48|lrand48|arc4random.*|getrandom|getentropy|randombytes_buf|randombytes_random|randombytes_uniform|randombytes|socket|bind|connect|listen|accept|accept4|send|sendto|sendmsg|sendmmsg|recv|recvfrom|recvmsg|recvmmsg|setsockopt|getsockopt|getsockname|getaddrinfo|open|open64|openat|fopen|fopen64|read|write|close|pipe|select|poll|ppoll|epoll_.*|eventfd|timerfd_.*|pthread_create|pthread_mutex_.*|pthread_cond_.*|fork|execve|system|popen|getenv|secure_getenv|setenv|mmap|mmap64|signal|sigaction|ioctl|fcntl|fcntl64|uv_.*'
if [ $sans_io -eq 1 ]; then
    called=$(nm -u "$library" 2>/dev/null | awk 'NF==2 && $1=="U" {print $2}' | sed 's/@.*//' |
        grep -xE "$forbidden" | sort -u || true)
    if [ -n "$called" ]; then
        echo "$library is a core, yet it calls the operating system:"; echo "$called"
        failed=1
    fi
fi
exit $failed
