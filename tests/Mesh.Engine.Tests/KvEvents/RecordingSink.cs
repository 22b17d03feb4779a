using System.Text;
using Mesh.Engine.KvEvents.Events;

namespace Mesh.Engine.Tests.KvEvents;

/// <summary>Writes down, one line a call, what a sink was told.</summary>
internal sealed class RecordingSink : IKvEventSink
{
    public List<string> Calls { get; } = [];

    public void OnBlockStored(in KvBlockStored stored) => Calls.Add(
        $"stored {Join(stored.BlockHashes)} parent {stored.ParentBlockHash?.ToString() ?? "-"} tokens {Join(stored.TokenIds)} size {stored.BlockSizeTokens}"
        + $" lora {stored.LoraId?.ToString() ?? "-"}/{Text(stored.LoraName)} on {Text(stored.Medium)} keys {stored.ExtraKeys.Length}"
        + $" group {stored.GroupIndex?.ToString() ?? "-"}/{Text(stored.CacheKind)}/{stored.SlidingWindowTokens?.ToString() ?? "-"}");

    public void OnBlockRemoved(in KvBlockRemoved removed) =>
        Calls.Add($"removed {Join(removed.BlockHashes)} on {Text(removed.Medium)} group {removed.GroupIndex?.ToString() ?? "-"}");

    public void OnAllCleared() => Calls.Add("cleared");

    public void OnReset(KvResetReason reason) => Calls.Add("reset " + reason);

    private static string Text(ReadOnlySpan<byte> utf8) => utf8.IsEmpty ? "-" : Encoding.UTF8.GetString(utf8);

    private static string Join<T>(ReadOnlySpan<T> values) => "[" + string.Join(",", values.ToArray()) + "]";
}
