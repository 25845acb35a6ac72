#!/usr/bin/env bash
# check_symbols.sh prefix|sans-io LIBRARY.a
#   prefix   every exported symbol begins with wzp_
#   sans-io  nothing of the operating system is called: a core gets time, randomness and datagrams
#            as arguments
set -euo pipefail
what=$1 library=$2
symbols=$(nm -g "$library" 2>/dev/null) # fails when there is no library

case $what in
prefix)
    # What compilers add by themselves is not ours: C++ inline functions, sanitizers, coverage.
    found=$(awk 'NF == 3 && $2 ~ /[TDBRGSVWCi]/ {print $3}' <<<"$symbols" |
        grep -vE '^(wzp_|_Z|DW\.ref|__(asan|ubsan|tsan|odr_asan|sanitizer|sancov|start_|stop_|gcov|llvm|clang|x86\.get_pc))' |
        sort -u || true)
    text="exports symbols without the prefix wzp_"
    ;;
sans-io)
    forbidden='clock_.*|gettimeofday|time|times|clock|ftime|timespec_get|localtime(_r)?|gmtime(_r)?'
    forbidden+='|nanosleep|usleep|sleep|alarm|timer_.*|setitimer|timerfd_.*|eventfd|signalfd'
    forbidden+='|s?rand|s?random|rand_r|[djlmn]rand48(_r)?|arc4random.*|getrandom|getentropy'
    forbidden+='|randombytes.*|crypto_.*_keygen|crypto_(sign|box|kx|kem)_(ed25519_|x25519_|.*poly1305_)?keypair|RAND_(priv_)?bytes(_ex)?'
    forbidden+='|socket(pair)?|bind|connect|listen|accept4?|send(to|msg|mmsg|file)?|recv(from|msg|mmsg)?'
    forbidden+='|[gs]etsockopt|getsockname|getpeername|getaddrinfo|gethostby.*|getifaddrs|if_nametoindex'
    forbidden+='|open(at)?(64)?|creat|f?(re)?open(64)?|fdopen|tmpfile(64)?|mkstemp.*|opendir|unlink|rename|mkdir|stat|fstat|lstat'
    forbidden+='|read|write|readv|writev|pread(64)?|pwrite(64)?|close|dup[23]?|pipe2?|ioctl|fcntl(64)?'
    forbidden+='|fread|fwrite|fgets|f?puts|f?putc|putchar|v?f?printf|v?dprintf|perror|stdin|stdout|stderr|syslog'
    forbidden+='|select|pselect|p?poll|epoll_.*|io_uring_.*|uv_.*|lws_.*'
    forbidden+='|pthread_.*|thrd_.*|mtx_.*|cnd_.*|sem_.*|fork|vfork|exec[lv].*|system|popen|posix_spawn.*|kill|raise'
    forbidden+='|signal|sigaction|getenv|secure_getenv|[su]*setenv|putenv|get[pu]id|gethostname|uname|sysconf'
    forbidden+='|mmap(64)?|munmap|mprotect|dlopen|dlsym|syscall|exit|_exit|setlocale'
    # Fortified and versioned forms (__read_chk, __isoc99_...) count like the plain ones.
    found=$(awk 'NF == 2 && $1 == "U" {print $2}' <<<"$symbols" |
        sed -E 's/@.*//; s/^__(.*)_chk$/\1/' | grep -xE "$forbidden" | sort -u || true)
    text="is a core, yet it calls the operating system"
    ;;
*)
    echo "usage: check_symbols.sh prefix|sans-io LIBRARY.a" >&2
    exit 2
    ;;
esac

if [ -n "$found" ]; then
    printf '%s %s:\n%s\n' "$library" "$text" "$found"
    exit 1
fi
