# Writes OUTPUT, a C header with the bytes of the ELF file IMAGE and where its doors are, as NM lists them.
execute_process(COMMAND ${NM} ${IMAGE} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
file(READ ${IMAGE} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")

# The doors of one kind, a line for each function.
function(list_doors kind ret_lines)
  string(REGEX MATCHALL "[0-9a-f]+ [Tt] hook_${kind}_[A-Z_]+" doors "${symbols}")
  set(lines "")
  foreach(door ${doors})
    string(REGEX REPLACE "([0-9a-f]+) [Tt] hook_${kind}_(.*)" "    [HOOK_\\2] = 0x\\1,\n" line "${door}")
    string(APPEND lines "${line}")
  endforeach()
  set(${ret_lines} "${lines}" PARENT_SCOPE)
endfunction()
list_doors(entry entries)
list_doors(outer outers)

set(sites "")
foreach(site alloc free)
  if(NOT symbols MATCHES "([0-9a-f]+) [Tt] hook_site_${site}\n")
    message(FATAL_ERROR "the stub has no hook_site_${site}")
  endif()
  string(TOUPPER ${site} upper)
  string(APPEND sites "#define STUB_SITE_${upper} 0x${CMAKE_MATCH_1}\n")
endforeach()

file(WRITE ${OUTPUT} "/* Made by embed.cmake from the stub's code. */
#include \"hook/functions.h\"

static const unsigned char stub_image[] = {
${bytes}};

/* Offsets into the image. */
static const uint32_t stub_entries[HOOK_FUNCTION_COUNT] = {
${entries}};
static const uint32_t stub_outer_entries[HOOK_FUNCTION_COUNT] = {
${outers}};

${sites}")
