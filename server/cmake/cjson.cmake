# cJSON as a static library.
include(debian-source)
debian_source(cjson CJSON_DIR cJSON.c)
add_library(cjson STATIC ${CJSON_DIR}/cJSON.c)
target_include_directories(cjson SYSTEM PUBLIC ${CJSON_DIR})
target_compile_options(cjson PRIVATE -w)
