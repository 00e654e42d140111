# debian_source(PACKAGE VARIABLE PROBE): puts the folder of Debian's own source package, which apt checks, into the cache VARIABLE, and
# fetches it if PROBE is not there: for libraries that Debian has no static one of.
function(debian_source package variable probe)
  set(${variable} ${CMAKE_BINARY_DIR}/${package} CACHE PATH "Sources of ${package}; fetched to there if missing")
  if(EXISTS ${${variable}}/${probe})
    return()
  endif()
  message(STATUS "Fetching the source package of ${package}")
  execute_process(COMMAND sh ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/fetch-source.sh ${package} ${${variable}} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "apt-get source ${package} failed: is dpkg-dev installed, and the Debian mirror reachable?")
  endif()
endfunction()
