# cJSON as a static library.
include(debian-source)
debian_source(cjson cJSON.c)
set(CJSON_DIR ${DEBIAN_SOURCES}/cjson)
add_library(cjson STATIC ${CJSON_DIR}/cJSON.c)
target_include_directories(cjson SYSTEM PUBLIC ${CJSON_DIR})
target_compile_options(cjson PRIVATE -w)
