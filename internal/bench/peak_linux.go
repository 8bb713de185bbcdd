package main

import (
	"os"
	"syscall"
)

func peakOf(s *os.ProcessState) int64 {
	r, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return int64(r.Maxrss) << 10 // in KiB here, elsewhere in other units
}
