# Flags of our own code; libraries' headers are system headers and exempt.  Assertions stay on.
add_library(wzp_flags INTERFACE)
target_compile_options(wzp_flags INTERFACE
    -Wall -Wextra -Werror -Wconversion -Wshadow -Wvla -Wundef -Wpointer-arith -Wcast-qual -UNDEBUG
    -fno-common -fstack-protector-strong
    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes -Wstrict-prototypes>)
target_compile_definitions(wzp_flags INTERFACE _DEFAULT_SOURCE)
target_include_directories(wzp_flags INTERFACE
    ${PROJECT_SOURCE_DIR}/impl ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)

if(WZP_SANITIZE)
    add_compile_options(-fsanitize=${WZP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${WZP_SANITIZE})
endif()
if(WZP_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
