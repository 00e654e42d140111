# cJSON as a static library. Debian has no libcjson.a, so it is built from Debian's own source package, which apt checks.
set(CJSON_DIR ${CMAKE_BINARY_DIR}/cjson CACHE PATH "Sources of cJSON; fetched to there if missing")
if(NOT EXISTS ${CJSON_DIR}/cJSON.c)
  message(STATUS "Fetching the source package of cJSON")
  execute_process(COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/fetch-source.sh cjson ${CJSON_DIR}
                  RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "apt-get source cjson failed: is dpkg-dev installed, and the Debian mirror reachable?")
  endif()
endif()
add_library(cjson STATIC ${CJSON_DIR}/cJSON.c)
target_include_directories(cjson SYSTEM PUBLIC ${CJSON_DIR})
target_compile_options(cjson PRIVATE -w)
