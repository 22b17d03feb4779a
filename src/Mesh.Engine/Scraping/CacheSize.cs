using System.Buffers.Text;

namespace Mesh.Engine.Scraping;

/// <summary>
/// Tokens that the KV caches of a page's engines hold together: <c>block_size · num_gpu_blocks</c> of each <c>vllm:cache_config_info</c>.
/// One engine that does not tell, as before its first profiling run, makes the whole unknown.
/// </summary>
internal struct CacheSize
{
    private long _tokens;
    private bool _broken;

    /// <summary>Their sum; null when unknown.</summary>
    public readonly long? Tokens => _broken || _tokens == 0 ? null : _tokens;

    /// <summary>Takes the labels of one engine.</summary>
    public void Add(ReadOnlySpan<byte> text)
    {
        long blockTokens = 0;
        long blocks = 0;
        var labels = new PrometheusLabels(text);
        while (labels.MoveNext())
        {
            if (labels.Name.SequenceEqual("block_size"u8)) blockTokens = Number(labels.Value);
            else if (labels.Name.SequenceEqual("num_gpu_blocks"u8)) blocks = Number(labels.Value);
        }

        if (blockTokens <= 0 || blocks <= 0 || blocks > (long.MaxValue - _tokens) / blockTokens) _broken = true;
        else _tokens += blockTokens * blocks;
    }

    private static long Number(ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out long number, out var used) && used == value.Length ? number : 0;
}
