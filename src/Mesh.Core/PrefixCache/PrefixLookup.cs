using Mesh.Core.PrefixCache.Crowds;

namespace Mesh.Core.PrefixCache;

/// <summary>Who holds how much of a prompt by the nodes of a <see cref="PrefixIndex"/>: of everybody, for those who look at few of many, and of one.</summary>
internal sealed class PrefixLookup(PrefixNode[] nodes, PrefixTree tree, HolderTable holders)
{
    /// <summary>Finds how many leading blocks of a chain each endpoint holds.</summary>
    /// <param name="chain">Chained block hashes.</param>
    /// <param name="heldBlocks">Written for every endpoint: 0 where nothing is held.</param>
    /// <returns>The most that any endpoint holds.</returns>
    public int Match(ReadOnlySpan<ulong> chain, Span<int> heldBlocks)
    {
        heldBlocks.Clear();
        var most = 0;
        for (var depth = 0; depth < chain.Length;)
        {
            var node = tree.Find(chain[depth]);
            if (node < 0) break;
            var matched = tree.MatchLength(node, chain[depth..]);
            foreach (var holder in holders.HoldersOf(node))
            {
                // Who lacks a part of the run before has no use for this one.
                if (heldBlocks[holder.Endpoint] != depth) continue;
                var held = depth + Math.Min(holder.Held, matched);
                heldBlocks[holder.Endpoint] = held;
                most = Math.Max(most, held);
            }
            if (matched < nodes[node].Length) break;
            depth += matched;
        }
        return most;
    }

    /// <summary>Leading blocks of a chain that one endpoint holds.</summary>
    public int HeldBy(int endpoint, ReadOnlySpan<ulong> chain)
    {
        for (var depth = 0; depth < chain.Length;)
        {
            var node = tree.Find(chain[depth]);
            if (node < 0 || holders.Find(node, endpoint) is not (>= 0 and var entry)) return depth;
            var length = nodes[node].Length;
            var held = Math.Min(holders.Held(entry), tree.MatchLength(node, chain[depth..]));
            depth += held;
            if (held < length) return depth;
        }
        return chain.Length;
    }

    /// <summary>As <see cref="Match"/>, without a look at everybody who holds what many hold.</summary>
    public void Look(ReadOnlySpan<ulong> chain, PromptHolders found)
    {
        found.Start(holders);
        var areMany = true;
        for (var depth = 0; depth < chain.Length;)
        {
            var node = tree.Find(chain[depth]);
            if (node < 0) break;
            var matched = tree.MatchLength(node, chain[depth..]);
            var crowd = holders.Crowds.Of(node);
            if (areMany && crowd is not null) found.AddCrowd(crowd, depth, matched, nodes[node].Length);
            else if (crowd is not null) ListAmongMany(found, node, depth, matched);
            else ListFew(found, node, depth, matched, areMany);
            areMany &= crowd is not null;
            if (matched < nodes[node].Length) break;
            depth += matched;
        }
    }

    private void ListFew(PromptHolders found, int node, int depth, int matched, bool areFirst)
    {
        foreach (ref readonly var holder in holders.HoldersOf(node))
        {
            if ((areFirst ? found.OfCrowds(holder.Endpoint) : found.OfListed(holder.Endpoint)) == depth)
                found.List(holder.Endpoint, depth + Math.Min(holder.Held, matched));
        }
    }

    // Few have what came before: of those who hold this, no others count.
    private void ListAmongMany(PromptHolders found, int node, int depth, int matched)
    {
        foreach (var endpoint in found.Listed)
        {
            if (found.OfListed(endpoint) != depth || holders.Find(node, endpoint) is not (>= 0 and var entry)) continue;
            found.List(endpoint, depth + Math.Min(holders.Held(entry), matched));
        }
    }
}
