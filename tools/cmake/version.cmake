# generated/wzp_version.h, rewritten at every build but touched only when the commit changes.
find_package(Git QUIET)
set(WZP_VERSION_HEADER ${PROJECT_BINARY_DIR}/generated/wzp_version.h)
set(version_args -DOUT=${WZP_VERSION_HEADER} -DVERSION=${PROJECT_VERSION}
    -DSOURCE=${PROJECT_SOURCE_DIR} -DGIT=${GIT_EXECUTABLE})
execute_process(COMMAND ${CMAKE_COMMAND} ${version_args}
    -P ${PROJECT_SOURCE_DIR}/tools/cmake/write_version.cmake)
add_custom_target(wzp_version COMMAND ${CMAKE_COMMAND} ${version_args}
    -P ${PROJECT_SOURCE_DIR}/tools/cmake/write_version.cmake BYPRODUCTS ${WZP_VERSION_HEADER})
