using System.CommandLine;
using Mesh.Simulation.KvEvents;
using Mesh.Simulation.Server;

namespace Mesh.Simulation.Commands;

/// <summary><c>serve</c>: one simulated vLLM server until Ctrl-C. Exit code 0 after a clean end, 1 when it cannot start.</summary>
internal static class ServeCommand
{
    private const string DefaultModel = "meta-llama/Llama-3.1-8B-Instruct";

    private static readonly SimulatedVllmOptions Defaults = new();

    private static readonly Option<string> Host = new("--host") { Description = "IP address to listen on.", DefaultValueFactory = _ => Defaults.Host };
    private static readonly Option<int> Port = new("--port") { Description = "Port; 0 takes a free one.", DefaultValueFactory = _ => 8000 };
    private static readonly Option<string[]> Models = new("--model") { Description = $"Base model to serve; repeat for aliases. Default: {DefaultModel}.", HelpName = "NAME" };
    private static readonly Option<string[]> Loras = new("--lora") { Description = "LoRA adapter to serve, with its base model when there are several; repeatable.", HelpName = "NAME[=BASE]" };
    private static readonly Option<double> Speed = new("--speed") { Description = "Virtual time per real time: 10 answers ten times as fast.", DefaultValueFactory = _ => Defaults.Speed };
    private static readonly Option<bool> Instant = new("--instant") { Description = "Answer at once with fixed bytes (128 chunks when streaming), for measuring what is in front." };
    private static readonly Option<int> MaxNumSeqs = new("--max-num-seqs") { Description = "Sequences in the batch.", DefaultValueFactory = _ => Defaults.MaxNumSeqs };
    private static readonly Option<int> MaxNumBatchedTokens = new("--max-num-batched-tokens") { Description = "Tokens per step.", DefaultValueFactory = _ => Defaults.MaxNumBatchedTokens };
    private static readonly Option<int> NumGpuBlocks = new("--num-gpu-blocks") { Description = "Blocks of KV cache.", DefaultValueFactory = _ => Defaults.NumGpuBlocks };
    private static readonly Option<int> BlockSize = new("--block-size") { Description = "Tokens per block.", DefaultValueFactory = _ => Defaults.BlockSize };
    private static readonly Option<int> MaxModelLen = new("--max-model-len") { Description = "Prompt and answer together, in tokens.", DefaultValueFactory = _ => Defaults.MaxModelLen };
    private static readonly Option<int> MaxLoras = new("--max-loras") { Description = "Adapters in the batch at once.", DefaultValueFactory = _ => Defaults.MaxLoras };
    private static readonly Option<double> LoraLoadMs = new("--lora-load-ms") { Description = "Milliseconds to load an adapter.", DefaultValueFactory = _ => Defaults.LoraLoadMs };
    private static readonly Option<bool> NoPrefixCaching = new("--no-prefix-caching") { Description = "Compute every prompt in full." };
    private static readonly Option<string?> ApiKey = new("--api-key") { Description = "Bearer token asked for under /v1." };
    private static readonly Option<int> MaxQueued = new("--max-num-queued-reqs") { Description = "Requests in the queue; more get 503.", DefaultValueFactory = _ => Defaults.MaxNumQueuedRequests };
    private static readonly Option<bool> LegacyMetrics = new("--legacy-metrics") { Description = "Name the KV gauge vllm:gpu_cache_usage_perc." };
    private static readonly Option<bool> RequestIdHeaders = new("--enable-request-id-headers") { Description = "Send X-Request-Id back." };

    private static readonly Option<int?> KvEventsPort = new("--kv-events-port") { Description = "Publish KV events at this port; 0 takes a free one. Default: none are published." };
    private static readonly Option<int?> KvReplayPort = new("--kv-replay-port") { Description = "Replay them at this port; 0 takes a free one. Default: no replay." };
    private static readonly Option<string> KvTopic = new("--kv-events-topic") { Description = "Topic of the events.", DefaultValueFactory = _ => "" };
    private static readonly Option<bool> KvOldEncoding = new("--kv-events-old-encoding") { Description = "Encode them as older servers do: arrays, integer hashes." };
    private static readonly Option<double> KvLoss = new("--kv-events-loss") { Description = "Share of batches to lose on purpose, 0-1." };
    private static readonly Option<double> KvDelayMs = new("--kv-events-delay-ms") { Description = "Milliseconds by which to delay them." };
    private static readonly Option<int> KvHighWaterMark = new("--kv-events-hwm") { Description = "Batches that may wait for one subscriber.", DefaultValueFactory = _ => new KvEventOptions().HighWaterMark };

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var command = new Command("serve", "Serve the simulated engine over HTTP.")
        {
            Host, Port, Models, Loras, Speed, Instant, MaxNumSeqs, MaxNumBatchedTokens, NumGpuBlocks, BlockSize, MaxModelLen,
            MaxLoras, LoraLoadMs, NoPrefixCaching, ApiKey, MaxQueued, LegacyMetrics, RequestIdHeaders,
            KvEventsPort, KvReplayPort, KvTopic, KvOldEncoding, KvLoss, KvDelayMs, KvHighWaterMark,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var output = arguments.InvocationConfiguration.Output;
        var error = arguments.InvocationConfiguration.Error;
        var options = Read(arguments);
        SimulatedVllmServer server;
        try
        {
            server = await SimulatedVllmServer.StartAsync(options, cancellationToken);
        }
        catch (Exception e) when (e is ArgumentException or IOException or System.Net.Sockets.SocketException)
        {
            await error.WriteLineAsync($"Cannot start on {options.Host}:{options.Port}: {Reason(e)}");
            return 1;
        }

        await using (server)
        {
            await output.WriteLineAsync($"Simulated vLLM on http://{server.Address}, models: {string.Join(", ", options.Models.Select(m => m.Name))}. Ctrl-C ends it.");
            if (server.KvEventsPort is { } events) await output.WriteLineAsync($"KV events at port {events}{(server.KvReplayPort is { } replay ? $", replayed at port {replay}" : "")}.");
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                await output.WriteLineAsync($"Ending: {server.CompletedRequests} requests answered, {server.AbortedRequests} aborted.");
            }
        }

        return 0;
    }

    private static string Reason(Exception exception)
    {
        // An argument's own message ends with the parameter's name, which means nothing on a command line.
        var message = exception is ArgumentException { ParamName: { } name } ? exception.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : exception.Message;
        return message.TrimEnd('.') + ".";
    }

    private static SimulatedVllmOptions Read(ParseResult arguments)
    {
        var names = arguments.GetValue(Models) is { Length: > 0 } given ? given : [DefaultModel];
        List<SimulatedModel> models = [.. names.Select(name => new SimulatedModel(name))];
        foreach (var lora in arguments.GetValue(Loras) ?? [])
        {
            var at = lora.IndexOf('=', StringComparison.Ordinal);
            models.Add(at < 0 ? new SimulatedModel(lora, names[0]) : new SimulatedModel(lora[..at], lora[(at + 1)..]));
        }

        return new SimulatedVllmOptions
        {
            Host = arguments.GetValue(Host)!,
            Port = arguments.GetValue(Port),
            Models = models,
            Speed = arguments.GetValue(Speed),
            Instant = arguments.GetValue(Instant),
            MaxNumSeqs = arguments.GetValue(MaxNumSeqs),
            MaxNumBatchedTokens = arguments.GetValue(MaxNumBatchedTokens),
            NumGpuBlocks = arguments.GetValue(NumGpuBlocks),
            BlockSize = arguments.GetValue(BlockSize),
            MaxModelLen = arguments.GetValue(MaxModelLen),
            MaxLoras = arguments.GetValue(MaxLoras),
            LoraLoadMs = arguments.GetValue(LoraLoadMs),
            EnablePrefixCaching = !arguments.GetValue(NoPrefixCaching),
            ApiKey = arguments.GetValue(ApiKey),
            MaxNumQueuedRequests = arguments.GetValue(MaxQueued),
            LegacyMetricNames = arguments.GetValue(LegacyMetrics),
            EnableRequestIdHeaders = arguments.GetValue(RequestIdHeaders),
            KvEvents = arguments.GetValue(KvEventsPort) is not { } port ? null : new KvEventOptions
            {
                Port = port,
                ReplayPort = arguments.GetValue(KvReplayPort),
                Topic = arguments.GetValue(KvTopic)!,
                OldEncoding = arguments.GetValue(KvOldEncoding),
                LossRatio = arguments.GetValue(KvLoss),
                Delay = TimeSpan.FromMilliseconds(arguments.GetValue(KvDelayMs)),
                HighWaterMark = arguments.GetValue(KvHighWaterMark),
            },
            // Below the two seconds that the command line gives an action to end after Ctrl-C.
            ShutdownTimeout = TimeSpan.FromSeconds(1.5),
        };
    }
}
