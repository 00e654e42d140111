# bpf_skeleton(NAME SOURCE...): compiles each SOURCE with clang for BPF (CO-RE), links them into one object, and makes the
# target NAME, whose include directory has NAME.skel.h with the object embedded.
find_program(CLANG clang REQUIRED)
find_program(BPFTOOL bpftool REQUIRED PATHS /usr/sbin)

function(bpf_skeleton name)
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/skeleton)
  file(MAKE_DIRECTORY ${dir})
  set(objects)
  foreach(source ${ARGN})
    get_filename_component(base ${source} NAME_WE)
    add_custom_command(
      OUTPUT ${dir}/${base}.bpf.o
      COMMAND ${CLANG} -g -O2 -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -D__x86_64__
              -I/usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -I${CMAKE_CURRENT_SOURCE_DIR}
              -ffile-prefix-map=${CMAKE_SOURCE_DIR}=/rsprof
              -MD -MF ${dir}/${base}.d -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${dir}/${base}.bpf.o
      DEPENDS ${source} DEPFILE ${dir}/${base}.d VERBATIM)
    list(APPEND objects ${dir}/${base}.bpf.o)
  endforeach()
  add_custom_command(
    OUTPUT ${dir}/${name}.skel.h
    COMMAND ${BPFTOOL} gen object ${dir}/${name}.o ${objects}
    COMMAND sh -c "${BPFTOOL} gen skeleton ${dir}/${name}.o name ${name} > ${dir}/${name}.skel.h"
    DEPENDS ${objects} VERBATIM)
  add_custom_target(${name}_skeleton DEPENDS ${dir}/${name}.skel.h)
  add_library(${name} INTERFACE)
  add_dependencies(${name} ${name}_skeleton)
  target_include_directories(${name} SYSTEM INTERFACE ${dir})
endfunction()
