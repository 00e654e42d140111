# The decoder of Zydis as a static library, without operands and texts.
include(debian-source)
debian_source(zydis src/Decoder.c)
set(ZYDIS_DIR ${DEBIAN_SOURCES}/zydis)
add_library(zydis STATIC ${ZYDIS_DIR}/src/Decoder.c ${ZYDIS_DIR}/src/DecoderData.c ${ZYDIS_DIR}/src/SharedData.c)
target_include_directories(zydis SYSTEM PUBLIC ${ZYDIS_DIR}/include PRIVATE ${ZYDIS_DIR}/src)
target_compile_definitions(zydis PUBLIC ZYDIS_STATIC_BUILD ZYCORE_STATIC_BUILD ZYDIS_MINIMAL_MODE)
target_compile_options(zydis PRIVATE -w)
