# The tool of the channel's suites: CA, fake core, fake agent, many sessions.
CHANNEL_TOOL_SRC := $(wildcard tests/tools/channel_*.c)
CHANNEL_TOOL_OBJ := $(patsubst %.c,$(B)/o/%.o,$(CHANNEL_TOOL_SRC))
$(B)/tools/channel-tool: $(CHANNEL_TOOL_OBJ) $(B)/channel.a $(B)/lib.a $(B)/proto.a
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  LD $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -pie -o $@ $(CHANNEL_TOOL_OBJ) \
		-Wl,--start-group $(B)/channel.a $(B)/lib.a $(B)/proto.a -Wl,--end-group \
		$(call pkglibs,libssl libcrypto libevent libprotobuf-c libseccomp jansson)
channel-tool: $(B)/tools/channel-tool
test-tools: channel-tool
.PHONY: channel-tool test-tools
