package h2

import (
	"encoding/binary"
	"math"
)

// Settings (RFC 9113, 6.5.2).
const (
	settingTableSize     = 0x1
	settingPush          = 0x2
	settingStreams       = 0x3
	settingWindow        = 0x4
	settingFrameSize     = 0x5
	settingHeaderList    = 0x6
	settingSize          = 6 // in bytes
	defaultTableSize     = 4096
	largestFrameSize     = 1<<24 - 1
	ourTableSize         = defaultTableSize // of what the other side wants remembered
	mostTableSizeUpdates = 2                // in one header block (RFC 7541, 4.2)
)

// A setting is one parameter of a SETTINGS frame.
type setting struct {
	id    uint16
	value uint32
}

func appendSettings(dst []byte, list ...setting) []byte {
	dst = appendHeader(dst, len(list)*settingSize, kindSettings, 0, 0)
	for _, s := range list {
		dst = binary.BigEndian.AppendUint16(dst, s.id)
		dst = binary.BigEndian.AppendUint32(dst, s.value)
	}
	return dst
}

// settings are what a peer has said of itself.
type settings struct {
	window    int64  // of new streams, for what we send
	tableSize uint32 // the smallest that it ever asked for, of its decoder
	streams   uint32 // that it takes at a time
	push      bool   // it says that it takes pushed streams
}

var defaultSettings = settings{window: baseWindow, tableSize: defaultTableSize, streams: math.MaxUint32}

// read takes the payload of a SETTINGS frame. Values are checked in their order; the
// last of each counts.
func (s *settings) read(p []byte) Reason {
	if len(p)%settingSize != 0 {
		return ReasonFrameSize
	}
	for ; len(p) > 0; p = p[settingSize:] {
		v := binary.BigEndian.Uint32(p[2:])
		switch binary.BigEndian.Uint16(p) {
		case settingTableSize:
			s.tableSize = min(s.tableSize, v)
		case settingPush:
			if v > 1 {
				return ReasonSettings
			}
			s.push = v == 1
		case settingStreams:
			s.streams = v
		case settingWindow:
			if v > maxWindow {
				return ReasonWindow
			}
			s.window = int64(v)
		case settingFrameSize:
			if v < frameSize || v > largestFrameSize {
				return ReasonSettings
			} // and frames of frameSize are always right
		}
	}
	return NoReason
}
