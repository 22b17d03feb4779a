using Mesh.Core.PrefixCache;
using Mesh.Core.Randomness;

namespace Mesh.Core.Tests.PrefixCache;

public class ChainTableTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void RandomOperations_AgainstADictionary_NeverDiffer(ulong seed)
    {
        const int Capacity = 300;
        var random = new Xoshiro256(seed);
        var table = new ChainTable(Capacity);
        var model = new Dictionary<ulong, int>();
        for (var step = 0; step < 50_000; step++)
        {
            // Few keys, so that they collide, zero among them.
            var key = (ulong)random.NextInt32(600);
            if (model.TryGetValue(key, out var value))
            {
                Assert.True(value == table.Find(key), $"seed {seed}, step {step}");
                if (random.NextInt32(3) == 0)
                {
                    table.Replace(key, step);
                    model[key] = step;
                }
                else
                {
                    table.Remove(key);
                    model.Remove(key);
                }
            }
            else
            {
                Assert.True(table.Find(key) == -1, $"seed {seed}, step {step}");
                if (model.Count == Capacity) continue;
                table.Add(key, step);
                model.Add(key, step);
            }
            Assert.Equal(model.Count, table.Count);
        }
    }
}
