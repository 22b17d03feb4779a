using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Randomness;

namespace Mesh.Core.Tests.PrefixCache.Exact;

/// <summary>
/// The index against plain dictionaries: random stores, removals in any order, both tiers, several copies, clears, feeds that come and go, places
/// that are mapped and forgotten. <c>MESH_LONG=1</c> plays ten million events instead of two hundred thousand.
/// </summary>
public sealed class ExactIndexPropertyTests
{
    private const int BlockTokens = 4;
    private static readonly int Events = Environment.GetEnvironmentVariable("MESH_LONG") == "1" ? 10_000_000 : 200_000;

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 130)]
    public void RandomEvents_MatchIsThatOfTheDictionary(ulong seed, int feeds)
    {
        var world = new Model(seed, feeds, new ExactPrefixOptions { MaxBlocks = 1 << 19, MaxMappings = 1 << 14 });
        for (var i = 0; i < Events; i++)
        {
            world.Step();
            if (i % 16 == 0) world.Compare(exactly: true);
        }
        world.CompareAll();
        Assert.Equal(world.HeldBlocks, world.Index.Blocks);
    }

    [Fact]
    public void RandomEvents_IndexTooSmall_NeverClaimsWhatIsNotHeldAndKeepsItsBound()
    {
        var world = new Model(3, 8, new ExactPrefixOptions { MaxBlocks = 1024, MaxMappings = 1024 });
        var bytes = world.Index.Bytes;
        for (var i = 0; i < Events / 4; i++)
        {
            world.Step();
            if (i % 16 == 0) world.Compare(exactly: false);
        }
        Assert.InRange(world.Index.Blocks, 1, 1024);
        Assert.Equal(bytes, world.Index.Bytes);
        Assert.True(world.Index.Dropped > 0);
    }

    [Fact]
    public void Clear_ForgetsOneFeedAloneAndFreesItsNodes()
    {
        var world = new Model(4, 2, new ExactPrefixOptions());
        for (var i = 0; i < 5000; i++) world.Store();
        Assert.All(world.Feeds, f => Assert.True(f.Count > 0));
        var others = world.Feeds[1].Count;

        world.ClearFeed(0);
        Assert.Equal((0, others, others), (world.Feeds[0].Count, world.Feeds[1].Count, world.Index.Blocks));
        world.ClearFeed(1);
        Assert.Equal((0, 0), (world.Index.Blocks, world.Index.Table.NodeCount));
    }

    /// <summary>Prompts as a random tree of blocks, and who holds which.</summary>
    private sealed class Model
    {
        private const int Blocks = 1500;
        private readonly Xoshiro256 _random;
        private readonly int[] _parents = new int[Blocks];
        private readonly int[][] _tokens = new int[Blocks][];
        private readonly ulong[] _identities = new ulong[Blocks];
        private readonly int[][] _paths = new int[Blocks][];
        private readonly ulong[][] _chains = new ulong[Blocks][];
        private readonly Dictionary<(int Feed, int Block), (int Copies, bool Offloaded)> _held = [];
        private readonly HashSet<ulong> _mapped = [];
        private readonly ulong _seed;

        public Model(ulong seed, int feeds, ExactPrefixOptions options)
        {
            _seed = seed;
            _random = new Xoshiro256(seed);
            Index = new ExactIndex(options);
            for (var i = 0; i < feeds; i++) Feeds.Add(Index.AddFeed(i));
            for (var block = 0; block < Blocks; block++)
            {
                // Chains rather than bushes, as prompts are.
                var parent = block == 0 || _random.NextInt32(20) == 0 ? -1 : _random.NextInt32(3) == 0 ? _random.NextInt32(block) : block - 1;
                _parents[block] = parent;
                _tokens[block] = [block, parent, 7, _random.NextInt32(1000)];
                _identities[block] = ExactHash.Of(parent < 0 ? 0 : _identities[parent], _tokens[block], 0);
                _paths[block] = parent < 0 ? [block] : [.. _paths[parent], block];
                // Some blocks end a place of the gateway's, some two of them.
                ulong[] own = (block % 5) switch { 0 => [PlaceOf(block, 0)], 3 => [PlaceOf(block, 0), PlaceOf(block, 1)], _ => [] };
                _chains[block] = parent < 0 ? own : [.. _chains[parent], .. own];
            }
        }

        public ExactIndex Index { get; }

        public List<CacheFeed> Feeds { get; } = [];

        public int HeldBlocks => _held.Count;

        public void Step()
        {
            switch (_random.NextInt32(1000))
            {
                case < 480:
                    Store();
                    break;
                case < 900:
                    Remove();
                    break;
                case < 975:
                    Map();
                    break;
                case < 998:
                    Unmap();
                    break;
                case 998 when _random.NextInt32(10) == 0:
                    ClearFeed(_random.NextInt32(Feeds.Count));
                    break;
                case 999 when _random.NextInt32(20) == 0:
                    Replace(_random.NextInt32(Feeds.Count));
                    break;
            }
        }

        public void Store()
        {
            var feed = _random.NextInt32(Feeds.Count);
            var path = _paths[_random.NextInt32(Blocks)];
            var first = Math.Max(0, path.Length - 1 - _random.NextInt32(6));
            var run = path[first..];
            var tier = _random.NextInt32(4) == 0 ? CacheTier.Offload : CacheTier.Gpu;
            var before = Index.Dropped;
            Index.Store(Feeds[feed], new StoredBlocks
            {
                Hashes = run.Select(b => HashOf(feed, b)).ToArray(),
                Parent = first == 0 ? null : HashOf(feed, path[first - 1]),
                TokenIds = run.SelectMany(b => _tokens[b]).ToArray(),
                BlockTokens = BlockTokens,
                Tier = tier,
            }, nowMs: 0);
            if (first > 0 && !_held.ContainsKey((feed, path[first - 1])))
            {
                Assert.True(Index.Dropped - before == run.Length || Index.Dropped > before);
                return;
            }
            foreach (var block in run)
            {
                var (copies, offloaded) = _held.GetValueOrDefault((feed, block));
                _held[(feed, block)] = tier == CacheTier.Gpu ? (copies + 1, offloaded) : (copies, true);
            }
        }

        public void ClearFeed(int feed)
        {
            Index.Clear(Feeds[feed]);
            Forget(feed);
        }

        public void CompareAll()
        {
            for (var block = 0; block < Blocks; block++) Compare(block, exactly: true);
        }

        public void Compare(bool exactly) => Compare(_random.NextInt32(Blocks), exactly);

        private void Compare(int block, bool exactly)
        {
            var chain = _chains[block];
            var gpu = new int[Index.Columns.Count];
            var any = new int[Index.Columns.Count];
            var mapped = Index.Places.Match(chain, gpu, any);
            var known = 0;
            while (known < chain.Length && (exactly ? _mapped.Contains(chain[known]) : Index.TryFind(chain[known], out _))) known++;
            var most = 0;
            for (var feed = 0; feed < Feeds.Count; feed++)
            {
                var (expectedGpu, expectedAny) = Held(feed, block, known);
                most = Math.Max(most, expectedAny);
                var column = Feeds[feed].Column;
                if (exactly) Assert.True((gpu[column], any[column]) == (expectedGpu, expectedAny), $"seed {_seed}, feed {feed}, block {block}: {gpu[column]}/{any[column]} instead of {expectedGpu}/{expectedAny}");
                else Assert.True(gpu[column] <= expectedGpu && any[column] <= expectedAny, $"seed {_seed}, feed {feed}, block {block}: claims too much");
            }
            // Where nobody holds more, there was no need to look how far the mapping goes.
            if (exactly) Assert.True(mapped == known || (mapped == most + 1 && mapped < known), $"seed {_seed}: mapped {mapped}, known {known}, most {most}");
        }

        private (int Gpu, int Any) Held(int feed, int block, int known)
        {
            var (gpu, any, at) = (-1, -1, 0);
            foreach (var on in _paths[block])
            {
                var places = (on % 5) switch { 0 => 1, 3 => 2, _ => 0 };
                for (var i = 0; i < places; i++, at++)
                {
                    if (at >= known) continue;
                    var (copies, offloaded) = _held.GetValueOrDefault((feed, on));
                    if (copies == 0 && gpu < 0) gpu = at;
                    if (copies == 0 && !offloaded && any < 0) any = at;
                }
            }
            return (gpu < 0 ? known : gpu, any < 0 ? known : any);
        }

        private void Remove()
        {
            var feed = _random.NextInt32(Feeds.Count);
            var tier = _random.NextInt32(4) == 0 ? CacheTier.Offload : CacheTier.Gpu;
            var hashes = new ulong[1 + _random.NextInt32(4)];
            for (var i = 0; i < hashes.Length; i++)
            {
                var block = _random.NextInt32(Blocks);
                hashes[i] = HashOf(feed, block);
                if (!_held.TryGetValue((feed, block), out var held)) continue;
                var left = tier == CacheTier.Gpu ? (Copies: Math.Max(0, held.Copies - 1), Offloaded: held.Offloaded) : (Copies: held.Copies, Offloaded: false);
                if (left is { Copies: 0, Offloaded: false }) _held.Remove((feed, block));
                else _held[(feed, block)] = left;
            }
            Index.Remove(Feeds[feed], hashes, tier);
        }

        private void Map()
        {
            var block = _random.NextInt32(Blocks);
            var node = Index.Table.FindNode(_identities[block]);
            if (node < 0 || (block % 5) is not (0 or 3)) return;
            for (var i = 0; i < (block % 5 == 0 ? 1 : 2); i++)
            {
                Index.Map(PlaceOf(block, i), node);
                _mapped.Add(PlaceOf(block, i));
            }
        }

        private void Unmap()
        {
            var place = PlaceOf(_random.NextInt32(Blocks), 0);
            Index.Unmap(place);
            _mapped.Remove(place);
        }

        private void Replace(int feed)
        {
            Index.RemoveFeed(Feeds[feed]);
            Forget(feed);
            Feeds[feed] = Index.AddFeed(feed);
        }

        private void Forget(int feed)
        {
            foreach (var (key, _) in _held)
            {
                if (key.Feed == feed) _held.Remove(key);
            }
        }

        // Every endpoint's hashes are its own.
        private static ulong HashOf(int feed, int block) => ExactHash.Mix((ulong)feed + 1000, (ulong)block);

        private static ulong PlaceOf(int block, int index) => ExactHash.Mix((ulong)block + 5_000_000, (ulong)index);
    }
}
