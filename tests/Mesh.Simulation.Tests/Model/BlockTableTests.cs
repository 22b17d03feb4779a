using Mesh.Core.Randomness;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Tests.Model;

public class BlockTableTests
{
    [Theory]
    [InlineData(1, 200)]
    [InlineData(2, 5000)]
    [InlineData(3, 40)]
    public void Table_RandomCalls_IsADictionary(ulong seed, int hashes)
    {
        var random = new Xoshiro256(seed);
        var table = new BlockTable();
        var expected = new Dictionary<ulong, int>();
        for (var i = 0; i < 50_000; i++)
        {
            // Neighbouring hashes share their places in the table: that is where a removal goes wrong.
            var hash = 1 + (ulong)random.NextInt32(hashes);
            switch (random.NextInt32(3))
            {
                case 0:
                    Assert.Equal(expected.TryAdd(hash, i), table.TryAdd(hash, i));
                    break;
                case 1:
                    expected.Remove(hash);
                    table.Remove(hash);
                    break;
                default:
                    Assert.Equal(expected.ContainsKey(hash), table.TryFind(hash, out var block));
                    if (expected.TryGetValue(hash, out var known)) Assert.Equal(known, block);
                    break;
            }

            Assert.Equal(expected.Count, table.Count);
        }
    }
}
