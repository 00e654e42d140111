# debian_source(PACKAGE PROBE): fetches Debian's own source package, which apt checks, to DEBIAN_SOURCES/PACKAGE if PROBE is not
# there: for libraries that Debian has no static one of.
set(DEBIAN_SOURCES ${CMAKE_BINARY_DIR} CACHE PATH "Where source packages are; fetched to there if missing")

function(debian_source package probe)
  set(folder ${DEBIAN_SOURCES}/${package})
  if(EXISTS ${folder}/${probe})
    return()
  endif()
  message(STATUS "Fetching the source package of ${package}")
  execute_process(COMMAND sh ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/fetch-source.sh ${package} ${folder} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "apt-get source ${package} failed: is dpkg-dev installed, and the Debian mirror reachable?")
  endif()
endfunction()
