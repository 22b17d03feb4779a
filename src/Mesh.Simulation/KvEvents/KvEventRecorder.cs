using Mesh.Simulation.Model;
using Mesh.Simulation.Server;

namespace Mesh.Simulation.KvEvents;

/// <summary>Collects what one step does to the cache and hands it to the publisher as one batch. The engine's lock guards it.</summary>
internal sealed class KvEventRecorder(KvEventPublisher publisher, KvEventOptions options, int blockSize, TimeProvider time) : IKvBlockObserver
{
    private readonly KvBatchEncoder _encoder = new(options.OldEncoding);
    private int[] _tokens = [];

    public void OnStored(in VllmRequest request, int first, int count)
    {
        var hashes = request.BlockHashes.Span;
        var answer = (Answer)request.Tag!;
        var length = count * blockSize;
        if (_tokens.Length < length) _tokens = new int[length * 2];
        var tokens = _tokens.AsSpan(0, length);
        for (var i = 0; i < length; i++)
        {
            var at = (first * blockSize) + i;
            tokens[i] = at < answer.Prompt.Length ? answer.Prompt[at] : answer.Tokens[at - answer.Prompt.Length];
        }
        _encoder.Stored(hashes.Slice(first, count), first == 0 ? null : hashes[first - 1], tokens, blockSize, answer.Adapter, answer.CacheSalt);
    }

    public void OnRemoved(ulong hash) => _encoder.Removed(hash);

    public void OnCleared() => _encoder.Cleared();

    /// <summary>Publishes what has come together, if anything has.</summary>
    public void Publish()
    {
        if (_encoder.IsEmpty) return;
        publisher.Publish(_encoder.Take(time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0));
    }
}
