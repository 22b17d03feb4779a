using Mesh.Engine.KvEvents.Events;

namespace Mesh.Engine.Tests.KvEvents;

/// <summary>Counts calls and looks at every span, so that a span beyond its memory would show.</summary>
internal sealed class NullSink : IKvEventSink
{
    public long Calls { get; private set; }

    public ulong Sum { get; private set; }

    public void OnBlockStored(in KvBlockStored stored)
    {
        Calls++;
        foreach (var hash in stored.BlockHashes) Sum += hash;
        foreach (var token in stored.TokenIds) Sum += (uint)token;
        foreach (var b in stored.ExtraKeys) Sum += b;
        foreach (var b in stored.LoraName) Sum += b;
    }

    public void OnBlockRemoved(in KvBlockRemoved removed)
    {
        Calls++;
        foreach (var hash in removed.BlockHashes) Sum += hash;
    }

    public void OnAllCleared() => Calls++;

    public void OnReset(KvResetReason reason) => Calls++;
}
