using System.Net;
using Mesh.Simulation.KvEvents;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Server;

/// <summary>How one simulated server looks and behaves. Immutable.</summary>
public sealed record SimulatedVllmOptions
{
    /// <summary>Address to listen on: an IP address, or <c>localhost</c>.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Port, 0–65535; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Models served. The first base model is the default and gives the metrics their <c>model_name</c>; further base names are aliases of it.</summary>
    public IReadOnlyList<SimulatedModel> Models { get; init; } = [new("meta-llama/Llama-3.1-8B-Instruct")];

    /// <summary>Virtual milliseconds per real millisecond, above 0 and up to 100,000: 10 makes every answer ten times as fast.</summary>
    public double Speed { get; init; } = 1;

    /// <summary>Answers at once with fixed bytes and without the engine, as the backend of overhead measurements: one small JSON answer, or 128 chunks.</summary>
    public bool Instant { get; init; }

    /// <summary>Sequences in the running set at most.</summary>
    public int MaxNumSeqs { get; init; } = 256;

    /// <summary>Tokens per step at most.</summary>
    public int MaxNumBatchedTokens { get; init; } = 2048;

    /// <summary>Blocks of KV cache.</summary>
    public int NumGpuBlocks { get; init; } = 27_000;

    /// <summary>Tokens of one block.</summary>
    public int BlockSize { get; init; } = 16;

    /// <summary>Prompt and answer together in tokens, at most.</summary>
    public int MaxModelLen { get; init; } = 8192;

    /// <summary>Adapters in the batch at once, at most.</summary>
    public int MaxLoras { get; init; } = 4;

    /// <summary>Milliseconds that loading an adapter into a slot takes.</summary>
    public double LoraLoadMs { get; init; }

    /// <summary>Whether prompts share cached blocks.</summary>
    public bool EnablePrefixCaching { get; init; } = true;

    /// <summary>Bearer token asked for under <c>/v1</c>; null asks for none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Sequences in the queue at most, 1 or more; when it is full a request gets 503.</summary>
    public int MaxNumQueuedRequests { get; init; } = 100_000;

    /// <summary>Request body in bytes at most; more is answered with 413.</summary>
    public long MaxRequestBodyBytes { get; init; } = 64 << 20;

    /// <summary>Whether the KV gauge has its old name, <c>vllm:gpu_cache_usage_perc</c>.</summary>
    public bool LegacyMetricNames { get; init; }

    /// <summary>Whether <c>X-Request-Id</c> is sent back as a header; it names the answer's id in any case.</summary>
    public bool EnableRequestIdHeaders { get; init; }

    /// <summary>What <c>/version</c> says.</summary>
    public string Version { get; init; } = "0.11.0";

    /// <summary>How long an idle connection is kept open.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a graceful stop waits for answers in flight before it cuts them.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How it publishes what its cache holds; null publishes nothing.</summary>
    public KvEventOptions? KvEvents { get; init; }

    /// <summary>Clock of the engine loop.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Every mistake in these options, in plain words; empty when there is none.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> errors = [];
        if (!TryParseHost(out _)) errors.Add($"host '{Host}' is not an IP address");
        if (Port is < 0 or > 65535) errors.Add($"port {Port} is not 0–65535");
        if (!(Speed > 0 && Speed <= 100_000)) errors.Add($"speed {Speed} is not above 0 and up to 100000");
        if (MaxNumQueuedRequests < 1) errors.Add($"max-num-queued-reqs {MaxNumQueuedRequests} is not 1 or more");
        if (MaxRequestBodyBytes < 1) errors.Add("the request body limit is not 1 byte or more");
        if (KeepAliveTimeout <= TimeSpan.Zero || ShutdownTimeout < TimeSpan.Zero) errors.Add("time-outs must be positive");
        KvEvents?.Validate(errors);
        ValidateModels(errors);
        try
        {
            ToModelOptions().Validate();
        }
        catch (ArgumentOutOfRangeException e)
        {
            errors.Add($"{e.ParamName} {e.ActualValue} is out of range: {e.Message.Split('\n')[0]}");
        }

        return errors;
    }

    internal bool TryParseHost(out IPAddress address)
    {
        if (Host == "localhost")
        {
            address = IPAddress.Loopback;
            return true;
        }

        return IPAddress.TryParse(Host, out address!);
    }

    internal VllmModelOptions ToModelOptions() => new()
    {
        MaxNumSeqs = MaxNumSeqs,
        MaxNumBatchedTokens = MaxNumBatchedTokens,
        NumGpuBlocks = NumGpuBlocks,
        BlockSize = BlockSize,
        MaxModelLen = MaxModelLen,
        MaxLoras = MaxLoras,
        LoraLoadMs = LoraLoadMs,
        EnablePrefixCaching = EnablePrefixCaching,
    };

    private void ValidateModels(List<string> errors)
    {
        if (!Models.Any(m => m.Parent is null)) errors.Add("no base model is named");
        HashSet<string> names = [];
        foreach (var model in Models)
        {
            if (string.IsNullOrWhiteSpace(model.Name)) errors.Add("a model has no name");
            else if (!names.Add(model.Name)) errors.Add($"model '{model.Name}' is named twice");
            if (model.Parent is { } parent && !Models.Any(m => m.Name == parent && m.Parent is null)) errors.Add($"adapter '{model.Name}' has an unknown base model '{parent}'");
        }
    }
}
