using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Security.Cryptography;
using Mesh.Gateway.Limits;

namespace Mesh.Gateway.Keys;

/// <summary>The API keys in force. Immutable. A look-up is one hash, two for a wrong key, and one comparison in constant time.</summary>
internal sealed class KeyTable
{
    /// <summary>Most keys.</summary>
    public const int MaxKeys = 100_000;

    private readonly FrozenDictionary<ulong, Row> _byHash;
    private readonly FrozenDictionary<string, Row>.AlternateLookup<ReadOnlySpan<char>> _byId;

    private KeyTable(Dictionary<ulong, Row> byHash, Dictionary<string, Row> byId)
    {
        _byHash = byHash.ToFrozenDictionary();
        _byId = byId.ToFrozenDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        Count = byHash.Count + byId.Count;
    }

    /// <summary>Keys.</summary>
    public int Count { get; }

    /// <summary>Compiles entries.</summary>
    /// <param name="entries">Where each stands, and what it says.</param>
    /// <param name="rates">What the callers have used so far.</param>
    /// <param name="problems">Gets every mistake; the table is of no use when there is one.</param>
    public static KeyTable Compile(IReadOnlyCollection<(string Where, KeyEntry Entry)> entries, RateTable rates, List<string> problems)
    {
        var byHash = new Dictionary<ulong, Row>();
        var byId = new Dictionary<string, Row>(StringComparer.Ordinal);
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        var callers = new KeyEntries(rates, problems);
        if (entries.Count > MaxKeys) problems.Add($"There are {entries.Count} keys; {MaxKeys} are allowed.");
        foreach (var (where, entry) in entries.Take(MaxKeys))
        {
            if (!KeyHash.IsId(entry.Id))
            {
                problems.Add($"{where}: id must have 1–{KeyHash.MaxIdChars} letters, digits, points and hyphens.");
                continue;
            }

            if (!ids.TryAdd(entry.Id!, where)) problems.Add($"{where}: {ids[entry.Id!]} has the same id {entry.Id}.");
            if (!KeyHash.TryParse(entry.Hash, out var hash))
            {
                problems.Add($"{where}: hash must be sha256:HASH or sha256:SALT:HASH in hexadecimal digits; mesh keys new makes one.");
                continue;
            }

            var row = new Row(hash!, callers.CallerFor(entry, entry.Id!, where));
            if (hash!.IsSalted) byId[entry.Id!] = row;
            else if (!byHash.TryAdd(Bucket(hash.Hash), row)) problems.Add($"{where}: another entry has the same hash.");
        }

        return new KeyTable(byHash, byId);
    }

    /// <summary>The caller with this key; null when there is none. Any text.</summary>
    public Caller? Find(ReadOnlySpan<char> key)
    {
        if (!KeyHash.IsKey(key)) return null;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var id = KeyHash.IdOf(key);
        if (!id.IsEmpty && _byId.TryGetValue(id, out var salted))
        {
            KeyHash.Compute(salted.Hash.Salt.Span, key, hash);
            if (salted.Hash.IsEqual(hash)) return salted.Caller;
        }

        KeyHash.Compute(default, key, hash);
        return _byHash.TryGetValue(Bucket(hash), out var row) && row.Hash.IsEqual(hash) ? row.Caller : null;
    }

    // Eight bytes of the hash find the row, the whole hash decides in constant time: what the look-up's time tells is of no use without the key.
    private static ulong Bucket(ReadOnlySpan<byte> hash) => BinaryPrimitives.ReadUInt64LittleEndian(hash);

    private sealed record Row(KeyHash Hash, Caller Caller);
}
