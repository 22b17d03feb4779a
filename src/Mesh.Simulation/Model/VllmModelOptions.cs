using Mesh.Core.StepTimes;

namespace Mesh.Simulation.Model;

/// <summary>Sizes of one simulated engine, under vLLM's names. Immutable.</summary>
public sealed record VllmModelOptions
{
    /// <summary>Step times. Default: one H100 with an 8B model.</summary>
    public StepTimeTable StepTimes { get; init; } = H100Llama8B.Table.WithLongPrompts(131_072);

    /// <summary>Sequences in the running set at most (<c>--max-num-seqs</c>). 1–65536.</summary>
    public int MaxNumSeqs { get; init; } = 256;

    /// <summary>Tokens computed in one step at most, decodes and prefill chunks together (<c>--max-num-batched-tokens</c>). At least <see cref="MaxNumSeqs"/>.</summary>
    public int MaxNumBatchedTokens { get; init; } = 2048;

    /// <summary>Blocks of KV cache (<c>num_gpu_blocks</c>). At least one sequence of <see cref="MaxModelLen"/> must fit.</summary>
    public int NumGpuBlocks { get; init; } = 27_000;

    /// <summary>Tokens of one block (<c>--block-size</c>). 1–65536.</summary>
    public int BlockSize { get; init; } = 16;

    /// <summary>Prompt and answer of one sequence together, in tokens, at most (<c>--max-model-len</c>). At least 2.</summary>
    public int MaxModelLen { get; init; } = 8192;

    /// <summary>Adapters that fit beside the base model at once (<c>--max-loras</c>). At least 1.</summary>
    public int MaxLoras { get; init; } = 4;

    /// <summary>Milliseconds that loading an adapter into a slot adds to the step that first needs it. 0 or more.</summary>
    public double LoraLoadMs { get; init; }

    /// <summary>Whether full blocks are kept and found again by their hash (<c>--enable-prefix-caching</c>).</summary>
    public bool EnablePrefixCaching { get; init; } = true;

    /// <summary>The same engine with sequences no longer than its cache holds: one that cannot hold its longest sequence does not start.</summary>
    public VllmModelOptions WithRoomForOne() => this with { MaxModelLen = (int)Math.Max(2, Math.Min(MaxModelLen, (long)NumGpuBlocks * BlockSize)) };

    /// <summary>Throws for the first value out of its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size out of range, or a cache too small for one sequence of full length.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(StepTimes);
        CheckRange(MaxNumSeqs, 1, 65536, nameof(MaxNumSeqs));
        CheckRange(MaxNumBatchedTokens, MaxNumSeqs, 1 << 24, nameof(MaxNumBatchedTokens));
        CheckRange(BlockSize, 1, 65536, nameof(BlockSize));
        CheckRange(MaxModelLen, 2, 1 << 24, nameof(MaxModelLen));
        CheckRange(NumGpuBlocks, (MaxModelLen + BlockSize - 1) / BlockSize, 1 << 26, nameof(NumGpuBlocks));
        CheckRange(MaxLoras, 1, 1024, nameof(MaxLoras));
        if (!(LoraLoadMs >= 0 && LoraLoadMs < 1e9)) throw new ArgumentOutOfRangeException(nameof(LoraLoadMs), LoraLoadMs, "LoraLoadMs must be 0–1e9 ms.");
    }

    private static void CheckRange(int value, int least, int most, string name)
    {
        if (value < least || value > most) throw new ArgumentOutOfRangeException(name, value, $"{name} must be {least}–{most}.");
    }
}
