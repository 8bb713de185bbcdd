package main

import (
	"fmt"
	"io"
	"os"

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
			log := newLogger(cfg.Log, cmd.ErrOrStderr())
			limitMemory(log)
			for _, w := range cfg.Warnings() {
				log.Warn("configuration: " + w)
			}
			log.Info("starting", zap.String("version", buildVersion()), zap.String("config", path))
			if err := run(cmd.Context(), cfg, wiring{log: log}); err != nil {
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

// limitMemory keeps the garbage collector below the container's limit, which
// the runtime does not read by itself.
func limitMemory(log *zap.Logger) {
	limit, err := memlimit.Set()
	if err != nil { // most often there is no limit
		log.Debug("the garbage collector knows of no memory limit", zap.Error(err))
		return
	}
	log.Debug("memory limit of the garbage collector", zap.Int64("bytes", limit))
}

// newLogger writes every line: a sampled log is missing the one that matters.
func newLogger(cfg config.Log, w io.Writer) *zap.Logger {
	encoder := zap.NewProductionEncoderConfig()
	encoder.TimeKey = "ts"
	encoder.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder.EncodeDuration = zapcore.StringDurationEncoder
	enc := zapcore.NewJSONEncoder(encoder)
	if cfg.Format == "console" || cfg.Format == "auto" && isTerminal(w) {
		encoder.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		encoder.EncodeLevel = zapcore.CapitalLevelEncoder
		enc = zapcore.NewConsoleEncoder(encoder)
	}
	level, err := zapcore.ParseLevel(cfg.Level)
	if err != nil {
		panic(fmt.Sprintf("log level %q passed validation: %v", cfg.Level, err))
	}
	return zap.New(zapcore.NewCore(enc, zapcore.Lock(zapcore.AddSync(w)), level))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
