# One static library per folder, declared in one line.
#
#   wzp_module(wire SOURCES media.c ... DEPENDS wzp::base wzp_dep::jansson
#              TESTS media_test.c ... [TEST_DEPENDS ...] [LABEL unit] [SANS_IO])
#     library wzp_wire, alias wzp::wire; one CTest per test file; a compile of each public header
#     alone; a test that every exported symbol begins with wzp_; with SANS_IO one that no function
#     of the operating system is called.
#   wzp_program(wzp-relay SOURCES main.c DEPENDS wzp::relay wzp::io)
#   wzp_fuzzer(media SOURCES media_fuzz.c DEPENDS wzp::wire CORPUS corpus/media)

set(WZP_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})

function(wzp_module name)
    cmake_parse_arguments(arg "SANS_IO" "LABEL" "SOURCES;DEPENDS;TESTS;TEST_DEPENDS" ${ARGN})
    set(target wzp_${name})
    add_library(${target} STATIC ${arg_SOURCES})
    add_library(wzp::${name} ALIAS ${target})
    target_link_libraries(${target} PUBLIC ${arg_DEPENDS} PRIVATE wzp_flags)
    add_dependencies(${target} wzp_version)

    if(NOT WZP_TESTS)
        return()
    endif()
    wzp_check_headers(${name})
    add_test(NAME ${name}.symbols COMMAND ${WZP_CMAKE_DIR}/check_symbols.sh
        $<$<BOOL:${arg_SANS_IO}>:--sans-io> $<TARGET_FILE:${target}> COMMAND_EXPAND_LISTS)
    set_tests_properties(${name}.symbols PROPERTIES LABELS unit)
    if(NOT arg_LABEL)
        set(arg_LABEL unit)
    endif()
    foreach(source ${arg_TESTS})
        get_filename_component(stem ${source} NAME_WE)
        set(test ${name}_${stem})
        add_executable(${test} ${source})
        set_target_properties(${test} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
        target_link_libraries(${test} PRIVATE ${target} ${arg_TEST_DEPENDS} wzp_dep::check wzp_flags)
        target_compile_definitions(${test} PRIVATE
            WZP_VECTORS_DIR="${PROJECT_SOURCE_DIR}/vectors")
        add_test(NAME ${name}.${stem} COMMAND ${test})
        set_tests_properties(${name}.${stem} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 300
            ENVIRONMENT "CK_DEFAULT_TIMEOUT=240")
    endforeach()
endfunction()

# A public header must compile alone.
function(wzp_check_headers name)
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
        target_link_libraries(wzp_${name}_headers PRIVATE wzp_${name} wzp_flags)
    endif()
endfunction()

function(wzp_program name)
    cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ${arg_DEPENDS} wzp_flags)
    add_dependencies(${name} wzp_version)
    install(TARGETS ${name})
endfunction()

# With the preset "fuzz" a libFuzzer binary bin/fuzz-NAME; otherwise the same target with a small
# driver that runs the corpus, as a test.
function(wzp_fuzzer name)
    cmake_parse_arguments(arg "" "CORPUS" "SOURCES;DEPENDS" ${ARGN})
    set(target fuzz-${name})
    if(WZP_FUZZ)
        add_executable(${target} ${arg_SOURCES})
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    elseif(WZP_TESTS)
        add_executable(${target} ${arg_SOURCES} ${WZP_CMAKE_DIR}/fuzz_driver.c)
        set_target_properties(${target} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
        add_test(NAME fuzz.${name} COMMAND ${target} ${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS})
        set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 120)
    else()
        return()
    endif()
    target_link_libraries(${target} PRIVATE ${arg_DEPENDS} wzp_flags)
endfunction()
