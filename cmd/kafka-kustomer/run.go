package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"kafka-kustomer/internal/config"
)

func newRun() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "run -c FILE",
		Short: "Run the connector until SIGTERM",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(path)
			if err != nil {
				return usageError{err}
			}
			log, level := newLogger(cfg.Log, cmd.ErrOrStderr())
			limitMemory(cfg, log)
			for _, w := range cfg.Warnings() {
				log.Warn("configuration: " + w)
			}
			log.Info("starting", zap.String("version", buildVersion()), zap.String("config", path),
				zap.String("name", cfg.Name), zap.String("group", cfg.Source.Group), zap.Strings("topics", cfg.Source.TopicNames()), zap.String("base_url", cfg.Kustomer.BaseURL))
			if err := run(cmd.Context(), cfg, wiring{log: log, level: &level}); err != nil {
				log.Error("stopped", zap.Error(err))
				return loggedError{err}
			}
			log.Info("stopped")
			return nil
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// limitMemory tells the garbage collector how much memory there is: what
// GOMEMLIMIT says, else most of the container's limit, which the runtime does
// not read by itself, but no more than [enoughMemory]. Below that it may let twice
// as much garbage grow as is alive, which saves a tenth of the processor time.
// Without any limit that would be without bound.
func limitMemory(cfg *config.Config, log *zap.Logger) {
	limit, err := memlimit.Set()
	_, given := os.LookupEnv("GOMEMLIMIT")
	if !given && os.Getenv("AUTOMEMLIMIT") != "off" {
		if enough := enoughMemory(cfg); err != nil || limit > enough {
			limit = enough
			debug.SetMemoryLimit(limit)
		}
	}
	if _, given := os.LookupEnv("GOGC"); !given && limit < math.MaxInt64 {
		debug.SetGCPercent(garbagePercent)
	}
	log.Debug("memory limit of the garbage collector", zap.Int64("bytes", limit), zap.Error(err))
}

// garbagePercent is GOGC where there is a limit.
const garbagePercent = 200

// enoughMemory is what a run needs in which the collector is never pressed: twice
// what may be alive of events and request bodies, and what Kafka's clients and
// the runtime have beside that. With the default limits it is 104 MiB; the
// process has some 15 MiB more, its code among them.
func enoughMemory(cfg *config.Config) int64 {
	const others = 40 << 20
	return others + 2*(int64(cfg.Limits.MaxOpenBytes)+int64(cfg.Kustomer.MaxInFlight)*int64(cfg.Batch.MaxBytes))
}

// newLogger writes every line: a sampled log is missing the one that
// matters. What it writes follows the level, which may be set at any time.
func newLogger(cfg config.Log, w io.Writer) (*zap.Logger, zap.AtomicLevel) {
	encoder := zap.NewProductionEncoderConfig()
	encoder.TimeKey = "ts"
	encoder.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder.EncodeDuration = encodeSeconds
	enc := zapcore.NewJSONEncoder(encoder)
	if cfg.Format == "console" || cfg.Format == "auto" && isTerminal(w) {
		encoder.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		encoder.EncodeLevel = zapcore.CapitalLevelEncoder
		enc = zapcore.NewConsoleEncoder(encoder)
	}
	level, err := zap.ParseAtomicLevel(cfg.Level)
	if err != nil {
		panic(fmt.Sprintf("log level %q passed validation: %v", cfg.Level, err))
	}
	return zap.New(zapcore.NewCore(enc, zapcore.Lock(zapcore.AddSync(w)), level)), level
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
