# hook_stub: the code that runs inside the target, compiled by itself into one position-independent ELF image, and a header,
# stub_image.h, that carries its bytes and the offsets of its doors.
set(hook_stub_dir ${CMAKE_CURRENT_LIST_DIR})
set(hook_stub_out ${CMAKE_CURRENT_BINARY_DIR}/hook_stub)
file(MAKE_DIRECTORY ${hook_stub_out})

# No libc, no SSE, no red zone, no tables of absolute addresses, nothing that the project's own flags would add.
set(hook_stub_flags -std=gnu11 -O2 -ffreestanding -fPIC -fvisibility=hidden -mgeneral-regs-only -mno-red-zone
    -fno-stack-protector -fcf-protection=none -fno-jump-tables -fomit-frame-pointer -fasynchronous-unwind-tables
    -fno-tree-loop-distribute-patterns -Wall -Wextra -Werror -I${hook_stub_dir}/../..)
set(hook_stub_headers ${hook_stub_dir}/math.h ${hook_stub_dir}/walk.h ${hook_stub_dir}/../stub_abi.h ${hook_stub_dir}/../functions.h)

add_custom_command(
  OUTPUT ${hook_stub_out}/stub_image.h
  COMMAND ${CMAKE_C_COMPILER} ${hook_stub_flags} -c ${hook_stub_dir}/stub.c -o ${hook_stub_out}/stub.o
  COMMAND ${CMAKE_C_COMPILER} ${hook_stub_flags} -c ${hook_stub_dir}/entry.S -o ${hook_stub_out}/entry.o
  COMMAND ${CMAKE_LINKER} -shared -Bsymbolic -z noseparate-code --hash-style=sysv --eh-frame-hdr --build-id=none
          -T ${hook_stub_dir}/stub.ld ${hook_stub_out}/stub.o ${hook_stub_out}/entry.o -o ${hook_stub_out}/stub.elf
  COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DIMAGE=${hook_stub_out}/stub.elf -DOUTPUT=${hook_stub_out}/stub_image.h
          -P ${hook_stub_dir}/embed.cmake
  DEPENDS ${hook_stub_dir}/stub.c ${hook_stub_dir}/entry.S ${hook_stub_dir}/stub.ld ${hook_stub_dir}/embed.cmake
          ${hook_stub_headers}
  VERBATIM)
add_custom_target(hook_stub_image DEPENDS ${hook_stub_out}/stub_image.h)
add_library(hook_stub INTERFACE)
add_dependencies(hook_stub hook_stub_image)
target_include_directories(hook_stub INTERFACE ${hook_stub_out})
