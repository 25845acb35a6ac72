# Flags of our own code; libraries' headers are system headers and exempt.  Assertions stay on.
add_library(wzp_flags INTERFACE)
target_compile_options(wzp_flags INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wvla -Wundef -Wpointer-arith -Wcast-qual -UNDEBUG
    -fno-common -fstack-protector-strong
    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes -Wstrict-prototypes>)
target_include_directories(wzp_flags INTERFACE
    ${PROJECT_SOURCE_DIR}/impl ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)

# Cores are plain ISO C11; drivers, programs and tests may also use what the system offers.  An
# empty definition is the same as a file's own "#define _GNU_SOURCE"; C++ compilers have it anyway.
add_library(wzp_flags_os INTERFACE)
target_link_libraries(wzp_flags_os INTERFACE wzp_flags)
target_compile_options(wzp_flags_os INTERFACE $<$<COMPILE_LANGUAGE:C>:-D_GNU_SOURCE=>)

# Warnings are errors, except beside GCC's sanitizers: it documents false alarms there.
if(NOT WZP_SANITIZE OR CMAKE_C_COMPILER_ID MATCHES Clang)
    target_compile_options(wzp_flags INTERFACE -Werror)
endif()

if(WZP_SANITIZE)
    add_compile_options(-fsanitize=${WZP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${WZP_SANITIZE})
endif()

# A third of a build is linking its many tests, and lld does that in half the time.
find_program(WZP_LLD ld.lld)
if(WZP_LLD)
    add_link_options(-fuse-ld=lld)
endif()

if(WZP_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
        message(FATAL_ERROR "WZP_FUZZ needs clang; use the preset 'fuzz'")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(WZP_CCACHE ccache)
if(WZP_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${WZP_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${WZP_CCACHE})
endif()
