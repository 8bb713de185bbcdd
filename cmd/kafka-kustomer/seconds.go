package main

import (
	"time"

	"go.uber.org/zap/zapcore"
)

// encodeSeconds writes a duration of a log line, whose key ends in _seconds, as a
// number: one can compare and add them, which texts such as 1m30s don't let. A
// millisecond is as exact as anybody needs it.
func encodeSeconds(d time.Duration, enc zapcore.PrimitiveArrayEncoder) {
	enc.AppendFloat64(float64(d.Round(time.Millisecond).Milliseconds()) / 1000)
}
