# One static library per folder, declared in one line.  tools/README.md has examples.
#
#   wzp_module(wire SOURCES media.c ... [DEPENDS wzp::base wzp_dep::jansson]
#              [TESTS media_test.c ...] [TEST_DEPENDS ...] [LABELS unit] [SANS_IO])
#     library wzp_wire, alias wzp::wire; one CTest per test file; a compile of each header alone; a
#     test that every exported symbol begins with wzp_.  SANS_IO: plain ISO C11, and a test that no
#     function of the operating system is called.
#   wzp_test(wire.long SOURCES long_test.c DEPENDS wzp::wire [ARGS ...] [LABELS slow] [TIMEOUT s]
#            [COST s])
#     one more test, as a program with check; exit code 77 means skipped.  COST is about what it
#     takes: long ones begin first.
#   wzp_program(wzp-relay SOURCES main.c DEPENDS wzp::relay wzp::io)
#     build/PRESET/bin/wzp-relay
#   wzp_fuzzer(media SOURCES media_fuzz.c DEPENDS wzp::wire CORPUS corpus/media [DICT media.dict]
#              [MAX_LEN bytes])
#     with the preset "fuzz" bin/fuzz-media for libFuzzer; otherwise the test fuzz-corpus-media,
#     which runs the corpus once.

set(WZP_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})

# tools/check gives CTest two slots for each core.  A test that computes has both of one
# (`PROCESSORS ${WZP_CORE}`); two that wait for sockets and timers share one, which would else sleep
# with them.
set(WZP_CORE 2)
# Before the program of a test that computes for a minute: it gives way to those that keep time.
set(WZP_YIELDS nice -n 5)

function(wzp_module name)
    cmake_parse_arguments(arg "SANS_IO" "" "SOURCES;DEPENDS;TESTS;TEST_DEPENDS;LABEL;LABELS" ${ARGN})
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "wzp_module(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
    endif()
    set(target wzp_${name})
    set(flags wzp_flags_os)
    set(sans_io "")
    if(arg_SANS_IO)
        set(flags wzp_flags)
        set(sans_io --sans-io)
    endif()
    add_library(${target} STATIC ${arg_SOURCES})
    add_library(wzp::${name} ALIAS ${target})
    target_link_libraries(${target} PUBLIC ${arg_DEPENDS} PRIVATE ${flags})
    add_dependencies(${target} wzp_version)

    if(NOT WZP_TESTS)
        return()
    endif()
    wzp_check_headers(${name} ${flags})
    add_test(NAME ${name}.symbols
        COMMAND ${WZP_CMAKE_DIR}/check_symbols.sh prefix $<TARGET_FILE:${target}>)
    set_tests_properties(${name}.symbols PROPERTIES LABELS unit PROCESSORS ${WZP_CORE})
    if(arg_SANS_IO)
        add_test(NAME ${name}.sans_io
            COMMAND ${WZP_CMAKE_DIR}/check_symbols.sh sans-io $<TARGET_FILE:${target}>)
        set_tests_properties(${name}.sans_io PROPERTIES LABELS unit PROCESSORS ${WZP_CORE})
    endif()
    foreach(source ${arg_TESTS})
        get_filename_component(stem ${source} NAME_WE)
        wzp_test(${name}.${stem} SOURCES ${source} DEPENDS ${target} ${arg_TEST_DEPENDS}
            LABELS ${arg_LABEL} ${arg_LABELS})
    endforeach()
endfunction()

function(wzp_test name)
    cmake_parse_arguments(arg "" "TIMEOUT;COST" "SOURCES;DEPENDS;ARGS;LABELS" ${ARGN})
    if(NOT WZP_TESTS)
        return()
    endif()
    if(NOT arg_LABELS)
        set(arg_LABELS unit)
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    if(NOT arg_COST)
        set(arg_COST 0)
    endif()
    string(REPLACE "." "_" target ${name})
    add_executable(${target} ${arg_SOURCES})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${target} PRIVATE ${arg_DEPENDS} wzp_dep::check wzp_flags_os)
    target_compile_definitions(${target} PRIVATE WZP_VECTORS_DIR="${PROJECT_SOURCE_DIR}/vectors"
        WZP_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_dependencies(${target} wzp_version)
    add_test(NAME ${name} COMMAND ${target} ${arg_ARGS})
    # check gives up on one test before CTest gives up on them all, and says which.  It forks for
    # each, which takes long where a sanitizer has mapped terabytes; its report is then enough.
    math(EXPR check_timeout "${arg_TIMEOUT} * 4 / 5")
    set(environment "CK_DEFAULT_TIMEOUT=${check_timeout}")
    if(WZP_SANITIZE)
        list(APPEND environment "CK_FORK=no")
        target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:-include${WZP_CMAKE_DIR}/check_quick.h>)
    endif()
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} COST ${arg_COST}
        PROCESSORS ${WZP_CORE} SKIP_RETURN_CODE 77 ENVIRONMENT "${environment}")
endfunction()

# Each header must compile alone, and twice.  That it does beside sanitizers as well, teaches nothing.
function(wzp_check_headers name flags)
    if(WZP_SANITIZE)
        return()
    endif()
    file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
    set(units "")
    foreach(header ${headers})
        file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${header})
        string(REGEX REPLACE "^impl/" "" path ${path})
        string(MAKE_C_IDENTIFIER ${path} id)
        set(unit ${CMAKE_CURRENT_BINARY_DIR}/headers/${id}.c)
        file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${path}\"\n#include \"${path}\"\n")
        list(APPEND units ${unit})
    endforeach()
    if(units)
        add_library(wzp_${name}_headers OBJECT ${units})
        target_link_libraries(wzp_${name}_headers PRIVATE wzp_${name} ${flags})
    endif()
endfunction()

# The target "programs" is what users run, without tests and benches.
add_custom_target(programs)

function(wzp_program name)
    cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ${arg_DEPENDS} wzp_flags_os)
    add_dependencies(${name} wzp_version)
    add_dependencies(programs ${name})
    install(TARGETS ${name})
endfunction()

# tools/check reads bin/fuzzers.txt: name, corpus, dictionary and longest input of each target.
if(WZP_FUZZ)
    file(WRITE ${CMAKE_BINARY_DIR}/bin/fuzzers.txt "")
endif()

function(wzp_fuzzer name)
    cmake_parse_arguments(arg "" "CORPUS;DICT;MAX_LEN" "SOURCES;DEPENDS" ${ARGN})
    set(target fuzz-${name})
    if(NOT WZP_FUZZ AND NOT WZP_TESTS)
        return()
    endif()
    foreach(path CORPUS DICT)
        if(arg_${path})
            get_filename_component(arg_${path} ${arg_${path}} ABSOLUTE)
            if(NOT EXISTS ${arg_${path}})
                message(FATAL_ERROR "wzp_fuzzer(${name}): ${arg_${path}} does not exist")
            endif()
        else()
            set(arg_${path} -)
        endif()
    endforeach()
    if(NOT arg_MAX_LEN)
        set(arg_MAX_LEN 0)
    endif()
    add_executable(${target} ${arg_SOURCES})
    if(WZP_FUZZ)
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
        file(APPEND ${CMAKE_BINARY_DIR}/bin/fuzzers.txt
            "${name} ${arg_CORPUS} ${arg_DICT} ${arg_MAX_LEN}\n")
    else()
        target_sources(${target} PRIVATE ${WZP_CMAKE_DIR}/fuzz_driver.c)
        set_target_properties(${target} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
        add_test(NAME fuzz-corpus-${name} COMMAND ${target} ${arg_CORPUS})
        set_tests_properties(fuzz-corpus-${name} PROPERTIES LABELS fuzz TIMEOUT 300 PROCESSORS ${WZP_CORE})
    endif()
    target_link_libraries(${target} PRIVATE ${arg_DEPENDS} wzp_flags_os)
endfunction()
